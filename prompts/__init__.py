"""The words: one Markdown file a purpose, in Chinese and English."""
