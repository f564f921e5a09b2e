"""The commands of ``docproc``, one module for each group."""
