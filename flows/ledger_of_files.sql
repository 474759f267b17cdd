-- One row per file of the load.

select * exclude (number) from loading_file
