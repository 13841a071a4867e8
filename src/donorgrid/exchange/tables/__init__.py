"""Result tables: read, checked, given one set of column names, and written."""
