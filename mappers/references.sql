-- HMAC-SHA256 of a text with the home's key, as hexadecimal digits (RFC 2104).
create or replace temp macro identity_hash(message) as
    sha256(getvariable('opad')::blob || unhex(sha256(getvariable('ipad')::blob || encode(message))));

-- The key of a resource: Patient/1.
create or replace temp macro resource_key(type, id) as type || '/' || id;

-- The key of the resource that a literal reference means, equal to that resource's own key.
create or replace temp macro literal_reference_key(reference, owner_key) as
    case
        -- '#' alone is the resource that contains the one that refers.
        when reference = '#' then owner_key
        when reference[1] = '#' then owner_key || reference
        when reference[1:9] = 'urn:uuid:' then lower(reference)
        when reference[1:8] = 'urn:oid:' then reference
        -- A conditional reference holds an identifier, which must not be seen: Patient?identifier=system|value.
        when contains(reference, '?') then
            case
                when contains(reference, '?identifier=') then
                    regexp_extract(reference, '([A-Za-z]+)\?', 1) || '?identifier='
                    || identity_hash(url_decode(regexp_extract(reference, '\?identifier=([^&]*)', 1)))
            end
        -- Ids are taken as they come: some servers write characters that FHIR's ids don't have.
        when regexp_full_match(reference, '[A-Z][A-Za-z]+/[^/?#|\s]+') then reference
        else nullif(
            regexp_extract(reference, '(?:^\s*|/)([A-Z][A-Za-z]+/[^/?#|\s]+)(?:/_history/[^/?#|\s]+)?/?\s*$', 1),
            ''
        )
    end;

-- The key of what a Reference means: its literal where that is usable, else its identifier, else NULL.
create or replace temp macro reference_key(reference, type, identifier_system, identifier_value, owner_key) as
    coalesce(
        literal_reference_key(reference, owner_key),
        case
            when identifier_value is not null then
                coalesce(type, '') || '?identifier='
                || identity_hash(coalesce(identifier_system, '') || '|' || identifier_value)
        end
    );

-- The key, where it is or may be of the wanted type: urn: and # references don't say their type.
create or replace temp macro key_of_type(key, type, wanted) as
    case
        when type is not null and type <> wanted and not ends_with(type, '/' || wanted) then null
        when starts_with(key, 'urn:') or contains(key, '#') or starts_with(key, '?') then key
        when starts_with(key, wanted || '/') or starts_with(key, wanted || '?') then key
    end;
