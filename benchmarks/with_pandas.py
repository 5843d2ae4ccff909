"""A report as a person writes it with pandas: percentiles per name, and a picture of p50 and p99 over time."""

import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd

SHARES = (0.5, 0.9, 0.95, 0.99, 0.999)


def of_jtl(path: Path) -> pd.DataFrame:
    """Print the percentiles of each label, failures included, and return p50 and p99 of each second."""
    rows = pd.read_csv(path, usecols=["timeStamp", "elapsed", "label", "responseCode", "success"])
    print(rows.groupby("label")["elapsed"].quantile(SHARES).unstack())
    print(rows["responseCode"].value_counts())
    second = (rows["timeStamp"] - rows["timeStamp"].min()) // 1000
    return rows.groupby(second)["elapsed"].quantile([0.5, 0.99]).unstack()


def of_run(path: Path) -> pd.DataFrame:
    """Print the percentiles of each measure of a run directory, and return p50 and p99 of each second."""
    kinds = dict.fromkeys(["name", "outcome", "measure"], "category") | {"value_us": str}
    rows = pd.read_csv(path / "latency.csv", dtype=kinds)
    rows = rows.assign(value_us=rows["value_us"].str.split(" ")).explode("value_us")
    rows["value_us"] = pd.to_numeric(rows["value_us"])
    for measure, of_measure in rows.groupby("measure", observed=True):
        print(measure, _weighted(of_measure, SHARES))
    response = rows[rows["measure"] == "response"]
    return pd.DataFrame(
        {second: _weighted(of_second, (0.5, 0.99)) for second, of_second in response.groupby("second")}
    ).T


def _weighted(rows: pd.DataFrame, shares: tuple[float, ...]) -> list[float]:
    ordered = rows.sort_values("value_us")
    ranks = ordered["count"].cumsum().to_numpy()
    at = np.searchsorted(ranks, np.ceil(np.array(shares) * ranks[-1]))
    return ordered["value_us"].to_numpy()[at].tolist()


if __name__ == "__main__":
    mpl.use("agg")
    source = Path(sys.argv[1])
    of_run(source).plot() if source.is_dir() else of_jtl(source).plot()
    from matplotlib import pyplot as plt

    plt.savefig(source.parent / "pandas.png")
