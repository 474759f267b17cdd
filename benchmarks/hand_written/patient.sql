-- The Patient view as a person would write it: one row per Patient.

select
    id,
    gender,
    "birthDate" as birth_date,
    "deceasedBoolean" as deceased_boolean,
    "deceasedDateTime" as deceased_datetime
from read_json(
    getvariable('file'),
    format = 'newline_delimited',
    columns = {
        id: 'VARCHAR',
        gender: 'VARCHAR',
        "birthDate": 'VARCHAR',
        "deceasedBoolean": 'BOOLEAN',
        "deceasedDateTime": 'VARCHAR'
    }
)
