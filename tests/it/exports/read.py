"""Reads an export for the tests, with nothing of the product, and says what each cell is as JSON.

read.py xlsx FILE | read.py csv FILE SEPARATOR
"""

import csv
import datetime
import json
import sys


def xlsx(path):
    import openpyxl
    from openpyxl.utils.escape import unescape

    def cell(one):
        value = one.value
        # A spreadsheet's own word for a character, such as _x0041_, which openpyxl leaves as it is.
        if isinstance(value, str):
            value = unescape(value)
        if isinstance(value, (datetime.date, datetime.datetime)):
            value = value.isoformat()
        return {"type": one.data_type, "value": value, "format": one.number_format}

    book = openpyxl.load_workbook(path)
    return [
        {"title": page.title, "frozen": page.freeze_panes, "rows": [[cell(one) for one in row] for row in page.iter_rows()]}
        for page in book.worksheets
    ]


def comma(path, separator):
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, delimiter=separator, strict=True))


what, path = sys.argv[1:3]
json.dump(xlsx(path) if what == "xlsx" else comma(path, sys.argv[3]), sys.stdout)
