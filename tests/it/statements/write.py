"""Writes one statement for the tests, with nothing of the product: reads a JSON description, writes the file.

{"path": ..., "kind": "xlsx" | "csv", "sheets": [{"title": ..., "rows": [[cell]], "merged": ["A1:C1"]}],
 "encoding": ..., "separator": ..., "bom": bool, "line": "\\r\\n", "quote": "minimal" | "all"}
A cell is a text, a number, null, {"moment": "2026-04-01T10:00:00"}, {"date": ...}, {"time": ...}, {"formula": ...}.
"""

import csv
import datetime
import io
import json
import sys


def value(cell):
    if not isinstance(cell, dict):
        return cell
    if "moment" in cell:
        return datetime.datetime.fromisoformat(cell["moment"])
    if "date" in cell:
        return datetime.date.fromisoformat(cell["date"])
    if "time" in cell:
        return datetime.time.fromisoformat(cell["time"])
    return cell["formula"]


def xlsx(said):
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for sheet in said["sheets"]:
        page = book.create_sheet(sheet["title"])
        for number, row in enumerate(sheet["rows"], 1):
            for column, cell in enumerate(row, 1):
                if cell is not None:
                    page.cell(number, column, value(cell))
        for area in sheet.get("merged", []):
            page.merge_cells(area)
    book.save(said["path"])


def text(said):
    quoting = csv.QUOTE_ALL if said.get("quote") == "all" else csv.QUOTE_MINIMAL
    out = io.StringIO(newline="")
    writer = csv.writer(
        out, delimiter=said.get("separator", ","), lineterminator=said.get("line", "\r\n"), quoting=quoting
    )
    writer.writerows(said["sheets"][0]["rows"])
    body = out.getvalue()
    encoding = said.get("encoding", "utf-8")
    if said.get("bom"):
        body = "\ufeff" + body
    with open(said["path"], "wb") as file:
        file.write(body.encode(encoding))


said = json.load(sys.stdin)
{"xlsx": xlsx, "csv": text}[said["kind"]](said)
