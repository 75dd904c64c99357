"""The programs of the lesson as people know them: to read, to run alone, and to be told more."""
