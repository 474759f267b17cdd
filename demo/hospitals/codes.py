"""What the hospitals' codes mean: each name of a history with its codings in the vocabularies that hospitals use."""

from __future__ import annotations

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"
ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
KCD = "http://www.hl7korea.or.kr/CodeSystem/kostat-kcd-8"
EDI = "http://www.hl7korea.or.kr/CodeSystem/hira-edi-procedure"
MEDDRA = "https://www.meddra.org"
STUDY_ITEM = "urn:cove:study-item"
RESPONSE = "urn:cove:response"
CONDITION_CATEGORY = "urn:cove:condition-category"
DISCHARGE = "http://terminology.hl7.org/CodeSystem/discharge-disposition"
CLINICAL_STATUS = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
SERIOUSNESS = "http://terminology.hl7.org/CodeSystem/adverse-event-seriousness"
OUTCOME = "http://terminology.hl7.org/CodeSystem/adverse-event-outcome"
CAUSALITY = "http://terminology.hl7.org/CodeSystem/adverse-event-causality-assess"
UCUM = "http://unitsofmeasure.org"

Coding = tuple[str, str]

# Vocabulary → name → coding. A hospital lists the vocabularies that it uses, in order; all that know a name are sent.
VOCABULARIES: dict[str, dict[str, Coding]] = {
    "snomed": {
        "ALL": (SNOMED, "91857003"),
        "B-cell": (SNOMED, "277571004"),
        "T-cell": (SNOMED, "277575008"),
        "AML": (SNOMED, "91861009"),
        "anaemia": (SNOMED, "271737000"),
        "hsct": (SNOMED, "234336002"),
        "platelet_transfusion": (SNOMED, "12719002"),
        "marrow_aspiration": (SNOMED, "49401003"),
        "death": (SNOMED, "419099009"),
    },
    "icd-10-cm": {
        "ALL": (ICD_10_CM, "C91.00"),
        "B-cell": (ICD_10_CM, "C91.00"),
        "T-cell": (ICD_10_CM, "C91.00"),
        "relapse": (ICD_10_CM, "C91.02"),
        "AML": (ICD_10_CM, "C92.00"),
        "anaemia": (ICD_10_CM, "D64.9"),
    },
    "kcd": {
        "ALL": (KCD, "C91.0"),
        "B-cell": (KCD, "C91.0"),
        "T-cell": (KCD, "C91.0"),
        "relapse": (KCD, "C91.0"),
        "AML": (KCD, "C92.0"),
        "anaemia": (KCD, "D64.9"),
    },
    "rxnorm": {
        "clofarabine": (RXNORM, "44151"),
        "etoposide": (RXNORM, "4179"),
        "cyclophosphamide": (RXNORM, "3002"),
        "cytarabine": (RXNORM, "3041"),
    },
    "atc": {
        "clofarabine": (ATC, "L01BB06"),
        "etoposide": (ATC, "L01CB01"),
        "cyclophosphamide": (ATC, "L01AA01"),
        "cytarabine": (ATC, "L01BC01"),
        "fludarabine": (ATC, "L01BB05"),
        "vincristine": (ATC, "L01CA02"),
        "nelarabine": (ATC, "L01BB07"),
        "blinatumomab": (ATC, "L01FX07"),
        "ondansetron": (ATC, "A04AA01"),
    },
    "loinc": {
        "marrow_blasts": (LOINC, "11150-0"),
        "blood_blasts": (LOINC, "26446-5"),
        "anc": (LOINC, "751-8"),
        "platelets": (LOINC, "777-3"),
        "haemoglobin": (LOINC, "718-7"),
        "leukocytes": (LOINC, "6690-2"),
        "alt": (LOINC, "1742-6"),
        "ast": (LOINC, "1920-8"),
        "bilirubin": (LOINC, "14631-6"),
        "creatinine": (LOINC, "14682-9"),
        "cause_of_death": (LOINC, "69453-9"),
    },
    "edi": {
        "platelets": (EDI, "D0002070"),
        "haemoglobin": (EDI, "D0002050"),
        "leukocytes": (EDI, "D0002010"),
    },
    "cove": {
        **{
            item: (STUDY_ITEM, item)
            for item in (
                "prior-regimens",
                "refractory",
                "extramedullary-disease",
                "investigator-response",
                "completed-follow-up",
                "disease-relapse",
            )
        },
        **{response: (RESPONSE, response) for response in ("CR", "CRp", "PR", "NR", "NE")},
        "adverse-event": (CONDITION_CATEGORY, "adverse-event"),
    },
    "hl7": {"exp": (DISCHARGE, "exp"), "home": (DISCHARGE, "home")},
}
