"""The words of the pages in Chinese and English."""
