-- One row per observed element and codelist's concept that its code falls on.

select distinct
    observation.site,
    observation.resource_key,
    observation.component,
    code.study,
    code.codelist,
    code.concept
from observation
join code
    on code.site = observation.site
    and code.system = observation.code_system
    and code.code = observation.code_code
