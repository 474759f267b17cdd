-- One row per landed file with observed values that are text: how many read as a number, and how many stay in landing.

select
    site,
    file,
    count(*) filter (where is_text_read) as read,
    count(*) filter (where not is_text_read) as unread
from current.observed_element
where has_text
group by site, file
