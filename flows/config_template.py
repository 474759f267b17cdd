"""The configuration that `cove init` writes: every key, most of them commented out, to be filled in."""

from __future__ import annotations

import os
from pathlib import Path

from flows.config import DEFAULT_CONFIG
from flows.errors import UserError

TEMPLATE = """\
# What Cove pulls, and from where. docs/configuration.md tells of every key.
# Then `cove doctor` tries each site, and says what to do, before `cove pull` is scheduled.
# Secrets are never written here: env:NAME is a variable of the environment, file:PATH a file.
# Paths are relative to this file's folder.

# home = "/var/lib/cove"                  # landing zone, warehouse, key; default: ./cove-home

[[site]]                                  # one such table a hospital
name = "FILL-IN"                          # letters, digits, spaces and . - _
source = "bulk"                           # bulk: FHIR Bulk Data export | rest: search | files: a drop folder
url = "https://FILL-IN/fhir"              # the server's base address, for bulk and rest
# path = "/srv/drop/hospital"             # the drop folder, for files
# group = "FILL-IN"                       # bulk: the id of a Group; without it, all patients
# level = "system"                        # bulk: patient | group | system
# types = ["Patient", "Observation"]      # default: every type that Cove maps
# type_filter = ["Observation?category=laboratory"]   # bulk: _typeFilter
# include = ["MedicationAdministration:medication"]   # rest: _include
# count = 500                             # rest: resources a page
auth = "smart"                            # smart | bearer | basic | mtls | none
client_id = "FILL-IN"                     # smart: the id that the hospital gave
private_key = "file:FILL-IN.jwk"          # smart: a JWK with kid and alg, or PEM
# scope = "system/*.rs"                   # smart: default is read access to the types
# token_url = "https://FILL-IN/token"     # smart: default is what the server's .well-known says
# token = "env:COVE_TOKEN"                # bearer
# user = "cove"                           # basic
# password = "env:COVE_PASSWORD"          # basic
# cert = "file:client.pem"                # mtls
# key = "file:client.key"                 # mtls
# ca = "hospital-ca.pem"                  # the authority that signed the server's certificate
# since = false                           # the server knows neither _since nor _lastUpdated
# deletions = "manifest"                  # manifest (bulk) | history | snapshot | none
# timezone = "Asia/Seoul"                 # instants written with Z are this place's
# rate = { requests_per_second = 5, bytes_per_second = 50000000, concurrent = 3 }
# window = ["22:00", "06:00"]             # pull only then, in the site's timezone, else in UTC
# timeout = { connect = 10, read = 60, export = 86400 }   # seconds
# retry = { attempts = 5, wait = 1, longest = 300 }       # seconds
# settle = 60                             # files: a file changed in the last seconds is left for the next run
# maps = "maps/hospital"                  # ConceptMaps, or CSV: source_system,source_code,target_system,target_code

# [publish]
# keep = 10                               # versions of the warehouse that are kept
"""


def write_template(path: Path | None) -> str:
    """Writes the file, readable by its owner only, and returns what to do next.

    Raises UserError when a file is there already, or can't be written.
    """
    file = path or DEFAULT_CONFIG
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise UserError(f"{file}: is there already; change it, or name another with --config") from error
    except OSError as error:
        raise UserError(f"{file}: can't be written ({error.strerror}); name another with --config") from error
    with os.fdopen(handle, "w", encoding="utf-8") as target:
        target.write(TEMPLATE)
    return f"{file}: written; fill in what says FILL-IN, then let `cove doctor` try it"
