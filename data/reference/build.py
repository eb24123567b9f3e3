"""Make the committed reference extracts from the folder of published third-party files.

    python data/reference/build.py FOLDER

Run it only when a published file has a new edition; README.md beside this file says what each
extract is, where it is from and under which licence.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
INTEGRATED_CARE_BOARD = "QK1"  # Leicester, Leicestershire and Rutland: deprivation near England's, mixed ethnicity

ETHNIC_GROUPS = {"Asian": "asian", "Black": "black", "Mixed": "mixed", "Other": "other", "White": "white"}

DISTRICT_AUTHORITY = {
    **dict.fromkeys(["LE1", "LE2", "LE3", "LE4", "LE5"], "Leicester"),
    **dict.fromkeys(["LE7", "LE11", "LE12"], "Charnwood"),
    **dict.fromkeys(["LE8", "LE19"], "Blaby"),
    **dict.fromkeys(["LE6", "LE9", "LE10"], "Hinckley and Bosworth"),
    **dict.fromkeys(["LE13", "LE14"], "Melton"),
    **dict.fromkeys(["LE16", "LE17"], "Harborough"),
    **dict.fromkeys(["DE12", "DE74", "LE65", "LE67"], "North West Leicestershire"),
    "LE15": "Rutland",
    "LE18": "Oadby and Wigston",
}


DOMAINS = {
    "Income_decile": "income_decile",
    "Employment_decile": "employment_decile",
    "Education_decile": "education_decile",
    "Health_decile": "health_decile",
    "Crime_decile": "crime_decile",
    "Housing_and_Services_decile": "housing_services_decile",
    "Environment_decile": "environment_decile",
}


def deprivation(folder: Path) -> pd.DataFrame:
    """Deprivation rank and decile (1 most deprived) of every English LSOA, and the deciles of the seven domains."""
    table = pd.read_parquet(folder / "imd2025_lsoa21.parquet")
    table = table.rename(columns={"IMD_decile": "imd_decile", "IMD_rank": "imd_rank", **DOMAINS})
    types = {"imd_decile": "int8", "imd_rank": "int32", **dict.fromkeys(DOMAINS.values(), "int8")}
    return table[["lsoa21_code", *types]].astype(types)


def area_changes(folder: Path) -> pd.DataFrame:
    """2011 areas and the 2021 areas that they became (U unchanged, S split, M merged, X fragmented)."""
    return pd.read_parquet(folder / "lsoa11_lsoa21.parquet")[["lsoa11_code", "lsoa21_code", "change_code"]]


def practices(folder: Path) -> pd.DataFrame:
    """The board's practices that belong to a network, and the authority where most of the network's practices are."""
    table = pd.read_parquet(folder / "practice_pcn_2022_01.parquet")
    table = table[(table["STP_CODE"] == INTEGRATED_CARE_BOARD) & (table["PCN_CODE"] != "U")]
    authority = table["PRACTICE_POSTCODE"].str.split().str[0].map(DISTRICT_AUTHORITY)
    counts = authority.rename("local_authority").groupby(table["PCN_CODE"]).value_counts().reset_index()
    counts["practices"] = counts["local_authority"].map(authority.value_counts())  # a tie goes to the smaller place
    counts = counts.sort_values(["count", "practices", "local_authority"], ascending=[False, True, True])
    table = table.merge(counts.drop_duplicates("PCN_CODE"), on="PCN_CODE")
    columns = {
        "PRACTICE_CODE": "practice_code",
        "PRACTICE_NAME": "practice_name",
        "PCN_CODE": "pcn_code",
        "PCN_NAME": "pcn_name",
        "local_authority": "local_authority",
    }
    return table.rename(columns=columns)[list(columns.values())].sort_values("practice_code", ignore_index=True)


def areas(folder: Path, networks: pd.DataFrame) -> pd.DataFrame:
    """The board's LSOAs: residents by ethnic group, deprivation, and the network that plausibly serves each.

    No published table says which network serves which area. Within each authority the areas, in the order of
    their names (neighbours follow each other), are shared out among its networks by number of practices.
    """
    table = pd.read_parquet(folder / "lsoa21_icb24.parquet")
    table = table.loc[table["icb24_code_nhs"] == INTEGRATED_CARE_BOARD, ["lsoa21_code", "lsoa21_name"]]
    names = pd.read_parquet(folder / "lsoa11_lsoa21.parquet").drop_duplicates("lsoa21_code")
    table = table.merge(names[["lsoa21_code", "ltla22_name"]], on="lsoa21_code", validate="1:1")
    table = table.rename(columns={"ltla22_name": "local_authority"})
    index = deprivation(folder)[["lsoa21_code", "imd_decile", "imd_rank"]]
    table = table.merge(index, on="lsoa21_code").merge(residents(folder), on="lsoa21_code")
    table = table.sort_values("lsoa21_name", ignore_index=True)
    table["pcn_code"] = ""
    for authority, rows in table.groupby("local_authority"):
        inside = networks.loc[networks["local_authority"] == authority, "pcn_code"].value_counts().sort_index()
        edges = np.round(np.cumsum(inside.to_numpy()) / inside.sum() * len(rows)).astype(int)
        table.loc[rows.index, "pcn_code"] = inside.index.to_numpy()[
            np.searchsorted(edges, np.arange(len(rows)), "right")
        ]
    return table


def residents(folder: Path) -> pd.DataFrame:
    """Census residents of each LSOA by five ethnic groups."""
    table = pd.read_parquet(folder / "ethnicity21_lsoa21.parquet")
    table["group"] = table["ethnic_group"].str.split("[ ,]", regex=True).str[0].map(ETHNIC_GROUPS)
    wide = table.pivot_table(index="lsoa21_code", columns="group", values="n", aggfunc="sum")
    return wide.astype("int32").rename_axis(columns=None).reset_index()


def ethnicity_by_deprivation(folder: Path) -> pd.DataFrame:
    """Census residents of all England by deprivation decile and five ethnic groups."""
    table = deprivation(folder).merge(residents(folder), on="lsoa21_code", validate="1:1")
    groups = sorted(ETHNIC_GROUPS.values())
    return table.groupby("imd_decile", as_index=False)[groups].sum().astype(dict.fromkeys(groups, "int32"))


def age_by_deprivation(folder: Path) -> pd.DataFrame:
    """People by single year of age and deprivation decile, England 2020."""
    table = pd.read_csv(folder / "population20_age_by_imd2019_decile.csv").dropna()
    return table.rename(columns={"imd2019_decile": "imd_decile"}).astype({"imd_decile": "int8", "people": "int32"})


def multimorbidity(folder: Path) -> pd.DataFrame:
    """Points of the Cambridge Multimorbidity Score (general outcome) by code group."""
    table = pd.read_csv(folder / "cambridge_multimorbidity_score_payne_2020_general_20.csv")
    return pd.DataFrame({"group": "cms_" + table["condition"], "points": table["general_outcome_weight"]})


def frailty(folder: Path) -> pd.DataFrame:
    """Points of the Hospital Frailty Risk Score by code group."""
    table = pd.read_csv(folder / "hospital_frailty_risk_score_gilbert_2018.csv")
    return pd.DataFrame({"group": "hfrs_" + table["icd10_3"].str.lower(), "points": table["points"]})


def main(folder: Path) -> None:
    """Write every extract beside this script."""
    networks = practices(folder)
    tables = {
        "imd2025_lsoa21": deprivation(folder),
        "lsoa11_lsoa21": area_changes(folder),
        "demonstration_practices": networks,
        "demonstration_areas": areas(folder, networks),
        "population_age_by_decile": age_by_deprivation(folder),
        "population_ethnicity_by_decile": ethnicity_by_deprivation(folder),
    }
    for name, table in tables.items():
        table.to_parquet(HERE / f"{name}.parquet", index=False, compression="zstd")
    name = "acsc_icd10_nhs_institute_19.csv"
    (HERE / name).write_bytes((folder / name).read_bytes())
    for name, table in {
        "cambridge_multimorbidity": multimorbidity(folder),
        "hospital_frailty": frailty(folder),
    }.items():
        table.assign(unless="").to_csv(HERE / "scores" / f"{name}.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python data/reference/build.py FOLDER")
    main(Path(sys.argv[1]))
