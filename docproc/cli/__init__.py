"""The commands of ``docproc``, a module for each group."""
