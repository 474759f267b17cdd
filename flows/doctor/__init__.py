"""The doctor: tries each site before its first night, and lands nothing."""
