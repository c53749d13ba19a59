"""Reads every file of the folder with other software, and prints what stands in it as JSON.

{"results": {"csv": [[header …], [cell …] …], "xlsx": …, "parquet": …}, …}: texts as they are, numbers
as floats, instants as seconds in UTC, None where nothing stands.
"""

import csv
import datetime
import decimal
import json
import pathlib
import sys

import openpyxl
import pyarrow.parquet


def cell(value):
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float, decimal.Decimal)):
        return float(value)
    if isinstance(value, datetime.datetime):
        if value.tzinfo:
            value = value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
        # Spreadsheets keep about a microsecond, and cannot keep that exactly.
        value += datetime.timedelta(microseconds=500)
        return value.replace(microsecond=0).isoformat() + "Z"
    return value


def read_csv(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        return [[cell(value) for value in row] for row in csv.reader(file, strict=True)]


def read_xlsx(path):
    book = openpyxl.load_workbook(path, read_only=True)
    # Nothing is a formula, whatever it looks like.
    rows = [list(row) for row in book.worksheets[0].iter_rows()]
    assert not [c for row in rows for c in row if c.data_type == "f"]
    book.close()
    return [[cell(c.value) for c in row] for row in rows]


def read_parquet(path):
    table = pyarrow.parquet.read_table(path)
    rows = [[cell(row[name]) for name in table.column_names] for row in table.to_pylist()]
    return [table.column_names] + rows


readers = {".csv": read_csv, ".xlsx": read_xlsx, ".parquet": read_parquet}
found = {}
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    found.setdefault(path.stem, {})[path.suffix[1:]] = readers[path.suffix](path)
json.dump(found, sys.stdout)
