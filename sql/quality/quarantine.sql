-- One row per resource that couldn't be read: where it stands and the rule that it breaks; never a value.

select site, file, line, rule, type, id from fhir.quarantine
