"""Where pairs of descriptions are scored: DuckDB on this machine, or Spark where there are too many for one.

Both run the same comparisons with the same parameters. Blocks are made, and people worked out from pairs, in DuckDB
either way: that work grows with the records; the pairs are what outgrows a machine first.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
from typing import Any

import duckdb
from splink import DuckDBAPI
from splink.internals.database_api import DatabaseAPI

from casewell.errors import SettingsError
from records.copies import Copy


def engine_api(engine: str, con: duckdb.DuckDBPyConnection) -> DatabaseAPI[Any]:
    """Return Splink's way into an engine, `duckdb` (the given database) or `spark` (the session there is, or a new one).

    Raises
    ------
    SettingsError
        Spark is asked for, and PySpark or Java is not there.
    """
    if engine == "duckdb":
        return DuckDBAPI(con)
    session = spark_session("linkage.engine")
    from splink import SparkAPI

    # A step's result is kept in Spark's own memory and disk; checkpoints would need a folder all its machines share.
    return SparkAPI(spark_session=session, break_lineage_method="persist")


def spark_session(setting: str) -> Any:
    """Return Spark's session: the one there is, or a new one.

    Parameters
    ----------
    setting
        The one that asks for Spark, to be named when it is not there.

    Raises
    ------
    SettingsError
        PySpark or Java is not there.
    """
    missing = [
        words
        for words, there in {
            "PySpark": importlib.util.find_spec("pyspark") is not None,
            "Java": shutil.which("java") is not None,
        }.items()
        if not there
    ]
    if missing:
        raise SettingsError(
            f"{setting} is 'spark', and {' and '.join(missing)} cannot be found",
            f"Install `casewell[spark]` (pip install 'casewell[spark]') and Java 17 or later, or leave {setting} out of the settings.",
        )
    return _session()


def _session() -> Any:
    """Return the session of the cluster this runs on (spark-submit, Databricks), or one of this machine's."""
    from pyspark import SparkConf
    from pyspark.sql import SparkSession
    from splink.internals.spark.jar_location import similarity_jar_location

    wanted = {
        "spark.jars": similarity_jar_location(),
        "spark.sql.session.timeZone": "UTC",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        # Splink takes many small steps.
        "spark.sql.shuffle.partitions": str(2 * (os.cpu_count() or 1)),
        # What Spark puts on this machine's disk is people's records.
        "spark.local.dir": str(_scratch().path),
        "spark.io.encryption.enabled": "true",
    }
    conf = SparkConf()
    for name, value in wanted.items():
        conf.setIfMissing(name, value)
    session = (
        SparkSession.getActiveSession() or SparkSession.builder.appName("casewell").config(conf=conf).getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    return session


@functools.cache
def _scratch() -> Copy:
    """Make a private folder that lasts as long as the process."""
    return Copy()
