"""Parse untrusted bytes in a process of its own that has little time and memory: scans, photographs, sealed files."""
