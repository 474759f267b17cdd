-- One row per resource that this study doesn't use, and rule that it breaks and the protocol calls fatal. A record of a
-- drug, or a mix, goes with the Medication that it means.

select distinct
    broken.site,
    broken.file,
    broken.line,
    broken.resource_type,
    broken.resource_id,
    broken.resource_key,
    broken.rule,
    fatal_rule.rule as fatal_rule
from quality.broken_rule as broken
join fatal_rule
    on broken.rule = fatal_rule.rule
    or starts_with(broken.rule, fatal_rule.rule || ':')
    or starts_with(broken.rule, fatal_rule.rule || '.')
