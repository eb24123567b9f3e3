"""What each service writes, and how it errs: read from the sources as an analyst would, beside the truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from simulator import simulate
from tests.simulator.written import (
    CUT_OFF,
    DIABETES,
    EMERGENCY,
    EPISODE,
    SPELL,
    Simulated,
)

PEOPLE, YEARS = 4_000, 4
UNKNOWN = ["Z", "99"]


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    root = tmp_path_factory.mktemp("services")
    simulate(PEOPLE, 41, root / "sources", root / "truth")
    return Simulated(root / "sources", root / "truth")


# Hospital


def test_a_spell_is_one_stay_of_one_person_at_one_trust(simulated: Simulated) -> None:
    rows = simulated.source("hospital_spells")
    assert (rows.groupby(SPELL)["true_person_id"].nunique() == 1).all()
    assert (simulated.episodes.groupby(SPELL)["admission_date"].nunique() == 1).all()


def test_episodes_of_a_spell_follow_one_another_to_its_end(simulated: Simulated) -> None:
    done = simulated.episodes.dropna(subset=["received_date"])
    inside = done.groupby(SPELL)
    assert (done["episode_order"] == inside.cumcount() + 1).all()
    following = inside["episode_start_date"].shift(-1)
    goes_on = following.notna()
    assert goes_on.sum() > 100
    assert (following[goes_on] == done.loc[goes_on, "episode_end_date"]).all()
    last = done[~goes_on]
    assert (last["episode_end_date"] == last["discharge_date"]).all()
    assert (done["episode_start_date"] <= done["episode_end_date"]).all()
    assert 1.15 < len(done) / inside.ngroups < 1.30


def test_only_the_first_episode_is_told_of_before_it_is_complete(simulated: Simulated) -> None:
    waiting = simulated.source("hospital_spells").query("received_date.isna()")
    assert len(waiting) > 5
    assert (waiting["episode_order"] == 1).all()
    told = ["episode_end_date", "discharge_date", "discharge_destination", "primary_diagnosis", "secondary_diagnoses"]
    told += ["procedures"]
    assert waiting[told].isna().all(axis=None)


def test_some_episodes_are_sent_again_months_later_with_other_content(simulated: Simulated) -> None:
    rows = simulated.source("hospital_spells").dropna(subset=["received_date"]).sort_values("received_date")
    versions = rows.groupby(EPISODE)
    first, last = versions.nth(0).set_index(EPISODE), versions.nth(-1).set_index(EPISODE)
    again = versions.size()[lambda count: count > 1].index
    assert versions.size().max() == 2
    assert 0.04 < len(again) / versions.ngroups < 0.08
    first, last = first.loc[again], last.loc[again]
    assert (last["received_date"] - first["received_date"]).dt.days.between(30, 150).all()
    changed = pd.DataFrame(
        {
            name: first[name].fillna("") != last[name].fillna("")
            for name in ("primary_diagnosis", "secondary_diagnoses", "procedures", "admission_method")
        }
    ).assign(discharge_date=first["discharge_date"] != last["discharge_date"])
    assert changed.any(axis=1).all()
    assert 0.03 < changed[["admission_method", "discharge_date"]].any(axis=1).mean() < 0.25
    assert (first["primary_diagnosis"] == "R69X").any()
    assert not (last["primary_diagnosis"] == "R69X").any()


def test_a_transfer_begins_where_the_first_spell_ended_at_another_trust(simulated: Simulated) -> None:
    moved = simulated.spells[simulated.spells["admission_method"].isin(["2B", "81"])]
    before = simulated.spells[simulated.spells["discharge_destination"] == "51"]
    pairs = moved.merge(before, on="true_person_id", suffixes=("", "_before"))
    pairs = pairs[pairs["discharge_date_before"] == pairs["admission_date"]]
    assert (pairs["provider_code"] != pairs["provider_code_before"]).all()
    complete = moved[moved["admission_date"] < CUT_OFF - pd.Timedelta(days=300)]
    assert len(complete) > 8
    assert set(complete["record_id"]) <= set(pairs["record_id"])
    assert 0.010 < len(moved) / simulated.spells["admission_method"].isin(EMERGENCY).sum() < 0.035


def test_a_third_of_emergency_stays_end_on_their_first_day_and_the_mean_is_days(simulated: Simulated) -> None:
    done = simulated.spells.dropna(subset=["discharge_date"])
    stays = done[done["admission_method"].isin(EMERGENCY)]
    days = (stays["discharge_date"] - stays["admission_date"]).dt.days
    assert 0.26 < (days == 0).mean() < 0.40
    assert 4 < days.mean() < 7.5


def test_trusts_send_coded_episodes_weeks_after_discharge_and_one_months_after(simulated: Simulated) -> None:
    rows = simulated.source("hospital_spells").sort_values("received_date").drop_duplicates(EPISODE)
    wait = (rows["received_date"] - rows["discharge_date"]).dt.days.groupby(rows["provider_code"]).median()
    assert wait.drop("RX1RA").between(20, 45).all()
    assert wait["RX1RA"] > 70


def test_those_with_less_access_have_fewer_appointments_at_equal_need(simulated: Simulated) -> None:
    number = simulated.source("outpatients")["true_person_id"].value_counts()
    people = simulated.people.query("registered and moved_away.isna() and died.isna()")
    people = people.assign(number=number.reindex(people.index).fillna(0))
    ratios = []
    for _, alike in people.groupby("conditions_diagnosed"):
        more = alike["access"] > alike["access"].median()
        if len(alike) > 200:
            ratios.append(alike.loc[~more, "number"].mean() / alike.loc[more, "number"].mean())
    assert len(ratios) >= 3
    assert np.mean(ratios) < 0.85


def test_hospital_knows_conditions_that_no_practice_ever_wrote_down(simulated: Simulated) -> None:
    hidden = simulated.people.query("has_diabetes == 1 and diagnosed_diabetes == 0 and died.isna()").index
    gp, spells = simulated.source("gp_events"), simulated.episodes
    assert len(hidden) > 20
    assert not (gp.loc[gp["true_person_id"].isin(hidden), "code"] == DIABETES).any()
    done = spells.dropna(subset=["primary_diagnosis"])
    coded = done["secondary_diagnoses"].fillna("").str.contains("E11")
    assert coded[done["true_person_id"].isin(hidden)].mean() > 0.25
    assert simulated.of(done[coded], "has_diabetes").all()


# Emergency departments and calls


def test_about_one_attendance_in_twelve_follows_another_within_a_week(simulated: Simulated) -> None:
    visits = simulated.source("emergency_care").sort_values(["true_person_id", "arrival_date"])
    again = visits.groupby("true_person_id")["arrival_date"].diff().dt.days <= 7
    assert 0.070 < again.mean() < 0.105


def test_low_acuity_is_commoner_among_the_deprived(simulated: Simulated) -> None:
    visits = simulated.source("emergency_care")
    low, decile = visits["acuity"].astype(int) >= 4, simulated.of(visits, "imd_decile")
    assert 1.08 < low[decile <= 3].mean() / low[decile >= 8].mean() < 1.7


def test_a_999_call_precedes_most_arrivals_by_ambulance(simulated: Simulated) -> None:
    calls = simulated.source("urgent_care").query("service == '999' and disposition == 'ambulance'")
    calls = calls[["true_person_id", "call_date"]].drop_duplicates()
    visits = simulated.source("emergency_care")
    rang = visits.merge(calls, how="left", left_on=["true_person_id", "arrival_date"], right_on=list(calls))
    ambulance = rang["arrival_mode"] == "ambulance"
    assert rang.loc[ambulance, "call_date"].notna().mean() > 0.8
    assert rang.loc[~ambulance, "call_date"].notna().mean() < 0.02


def test_calls_are_as_many_as_in_england_and_weakly_identified(simulated: Simulated) -> None:
    calls = simulated.source("urgent_care")
    by_service = calls["service"].value_counts() / PEOPLE / YEARS
    assert 0.22 < by_service["111"] < 0.33
    assert 0.09 < by_service["999"] < 0.15
    assert 0.13 < calls["nhs_number"].isna().mean() < 0.27
    true = simulated.source("demographics").drop_duplicates("true_person_id").set_index("true_person_id")["family_name"]
    right = calls["family_name"] == calls["true_person_id"].map(true)
    assert 0.02 < 1 - right[calls["true_person_id"].isin(true.index)].mean() < 0.15


# Practices


def test_rows_are_received_after_they_are_entered_and_entered_after_the_event(simulated: Simulated) -> None:
    gp = simulated.source("gp_events")
    assert (gp["recorded_date"] >= gp["event_date"]).all()
    assert (gp["received_date"] > gp["recorded_date"]).all()
    late = (gp["recorded_date"] - gp["event_date"]).dt.days >= 22
    by_practice = late.groupby(gp["practice_code"]).mean()
    assert by_practice.max() > 3 * by_practice.min()


def test_a_practice_was_silent_for_weeks_and_sent_it_all_after(simulated: Simulated) -> None:
    gp = simulated.source("gp_events")
    days = gp.drop_duplicates(["practice_code", "received_date"]).sort_values("received_date")
    silence = days.groupby("practice_code")["received_date"].diff().dt.days
    gaps = days[silence >= 30].assign(days=silence)
    networks = pd.read_parquet(simulated.sources / "practices.parquet")["pcn_code"].nunique()
    assert len(gaps) == networks
    for gap in gaps.itertuples():
        opens = gap.received_date - pd.Timedelta(days=gap.days)
        theirs = gp[gp["practice_code"] == gap.practice_code]
        inside = theirs["event_date"].between(opens, gap.received_date, inclusive="neither")
        usual = len(theirs) / (YEARS * 365) * gap.days
        assert 0.6 * usual < inside.sum() < 1.6 * usual


def test_some_practices_write_symptoms_down_much_more_than_others(simulated: Simulated) -> None:
    gp = simulated.source("gp_events")
    by_practice = gp.groupby("practice_code")["code"].agg(lambda code: (code == "84229001").sum() / len(code))
    assert by_practice.max() > 1.5 * by_practice.min()


def test_records_know_of_only_a_part_of_the_disabled_and_the_excluded(simulated: Simulated) -> None:
    gp = simulated.source("gp_events")
    seen = simulated.people[simulated.people.index.isin(gp["true_person_id"])]
    groups = {"110359009": seen["learning_disability"], "408856003": seen["autism"]}
    groups |= {"32911000": seen["inclusion_group"] == "homeless"}
    known = total = 0
    for code, so in groups.items():
        written = seen.index.isin(gp.loc[gp["code"] == code, "true_person_id"])
        assert not written[~so].any()
        known, total = known + written[so].sum(), total + so.sum()
    assert 0.1 < known / total < 0.9


def test_the_invited_who_keep_away_are_vaccinated_and_screened_less(simulated: Simulated) -> None:
    gp, people = simulated.source("gp_events"), simulated.people.query("registered")
    low = people["low_use"]
    for code in ("822851000000102", "275978004"):
        times = gp.loc[gp["code"] == code, "true_person_id"].value_counts().reindex(people.index).fillna(0)
        assert 0 < times[low > low.quantile(0.7)].mean() < 0.9 * times[low < low.quantile(0.3)].mean(), code


def test_there_are_about_150_rows_a_person(simulated: Simulated) -> None:
    assert 135 < len(simulated.identities) / PEOPLE < 170


# Registers


def test_who_changes_practice_has_two_registrations_one_after_the_other(simulated: Simulated) -> None:
    rows = simulated.source("demographics").sort_values("registration_start_date")
    twice = rows[rows["nhs_number"].duplicated(keep=False)].groupby("nhs_number")
    assert twice.ngroups > 40
    assert (twice.size() == 2).all()
    first, second = twice.nth(0).set_index("nhs_number"), twice.nth(1).set_index("nhs_number")
    second = second.loc[first.index]
    assert (first["practice_code"] != second["practice_code"]).all()
    assert (first["postcode"] != second["postcode"]).mean() > 0.8
    known = first["registration_end_date"].notna()
    assert known.mean() > 0.8
    wait = (second["registration_start_date"] - first["registration_end_date"])[known].dt.days
    assert wait.between(0, 6).all()
    assert first["date_of_death"].isna().all()


def test_some_who_moved_away_stay_on_the_list(simulated: Simulated) -> None:
    rows = (
        simulated.source("demographics")
        .sort_values("registration_start_date")
        .drop_duplicates("nhs_number", keep="last")
    )
    away = simulated.of(rows, "moved_away")
    gone = (away < CUT_OFF - pd.Timedelta(days=30)) & ~(simulated.of(rows, "died") < away)
    assert 0.05 < rows.loc[gone, "registration_end_date"].isna().mean() < 0.25


def test_most_deaths_are_known_within_weeks_and_some_months_later(simulated: Simulated) -> None:
    rows = simulated.source("demographics").dropna(subset=["date_of_death"])
    wait = (rows["death_received_date"] - rows["date_of_death"]).dt.days
    assert (wait >= 3).all()
    assert 0.01 < (wait > 30).mean() < 0.15


def test_gp_ethnicity_is_missing_most_for_low_users_men_and_the_well(simulated: Simulated) -> None:
    rows = simulated.source("demographics").drop_duplicates("nhs_number")
    known = ~rows["ethnic_category"].isin(UNKNOWN)
    assert known.mean() == pytest.approx(0.782, abs=0.035)
    low = simulated.of(rows, "low_use")
    assert (1 - known[low > low.quantile(0.8)].mean()) > 1.7 * (1 - known[low < low.quantile(0.2)].mean())
    assert known[simulated.of(rows, "sex") == "female"].mean() > known[simulated.of(rows, "sex") == "male"].mean()
    assert known[simulated.of(rows, "conditions") > 0].mean() > known[simulated.of(rows, "conditions") == 0].mean()
    assert 0.01 < (rows["ethnic_category"] == "Z").mean() < 0.035
    assert (rows["ethnic_category"] == simulated.of(rows, "ethnic_category"))[known].mean() > 0.96


def test_gp_and_hospital_agree_on_ethnicity_as_often_as_in_england(simulated: Simulated) -> None:
    gp = (
        simulated.source("demographics")
        .drop_duplicates("true_person_id")
        .set_index("true_person_id")["ethnic_category"]
    )
    rows = pd.concat([simulated.source(name) for name in ("hospital_spells", "emergency_care")])
    assert 0.09 < rows["ethnic_category"].isin(UNKNOWN).mean() < 0.15
    held = rows[~rows["ethnic_category"].isin(UNKNOWN) & rows["true_person_id"].isin(gp.index)]
    held = held.drop_duplicates("true_person_id").set_index("true_person_id")["ethnic_category"]
    known = ~gp.isin(UNKNOWN)
    both = held[known.reindex(held.index)]
    assert (both == gp.reindex(both.index)).mean() == pytest.approx(0.933, abs=0.02)
    assert (known | gp.index.isin(held.index)).mean() == pytest.approx(0.925, abs=0.02)


def test_opt_outs_are_commoner_among_black_and_mixed_people(simulated: Simulated) -> None:
    rows = simulated.source("opt_outs")
    registered = simulated.people.query("registered")
    share = rows["opt_out_type"].value_counts() / len(registered)
    assert 0.02 < share["type_1"] < 0.04
    assert 0.035 < share["national"] < 0.06
    opted = registered.index.isin(rows["true_person_id"])
    group = registered["ethnic_group"]
    assert opted[group.isin(["black", "mixed"])].mean() > 1.3 * opted[group == "white"].mean()


def test_both_arms_of_the_lot_at_the_margin_carry_its_chance(simulated: Simulated) -> None:
    rows = simulated.source("programme")
    lot = rows["referral_route"] == "randomised_margin"
    assert rows.loc[lot, "randomised_probability"].between(0, 1, inclusive="neither").all()
    assert rows.loc[~lot, "randomised_probability"].isna().all()
    not_drawn = rows[rows["outcome"] == "not_drawn"]
    assert len(not_drawn) > 5
    assert not_drawn["start_date"].isna().all()
    assert (rows.loc[lot, "outcome"] == "started").any()
    assert set(not_drawn["referral_route"]) == {"randomised_margin"}


def test_nothing_is_received_before_it_happened_nor_after_the_cut_off(simulated: Simulated) -> None:
    pairs = {
        "gp_events": "recorded_date",
        "hospital_spells": "discharge_date",
        "emergency_care": "arrival_date",
        "urgent_care": "call_date",
        "outpatients": "appointment_date",
        "community": "contact_date",
        "mental_health": "contact_date",
        "social_care": "end_date",
        "housing": "event_date",
        "programme": "start_date",
    }
    for name, happened in pairs.items():
        rows = simulated.source(name)
        assert rows["received_date"].max() < CUT_OFF, name
        rows = rows.dropna(subset=[happened, "received_date"])
        assert len(rows) > 50, name
        assert (rows["received_date"] > rows[happened]).all(), name


def test_social_care_comes_by_the_quarter_and_community_care_by_the_month(simulated: Simulated) -> None:
    social = simulated.source("social_care")["received_date"]
    quarter = social.dt.to_period("Q").dt.start_time
    assert (social - quarter).dt.days.between(21, 42).all()
    contacts = simulated.source("community")
    month = contacts["contact_date"].dt.to_period("M").dt.end_time.dt.normalize() + pd.Timedelta(days=1)
    assert (contacts["received_date"] - month).dt.days.between(28, 42).all()
