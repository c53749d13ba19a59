"""Makes the call lists of this folder: what people really upload.

    python3 -m venv venv && venv/bin/pip install openpyxl xlwt && venv/bin/python generate.py

The files are checked in; this is how they came about. `*.expect.json` beside each says what must
become of it, `*.mapping.json` which column was said to hold what. The expectation is written by hand or, after reading it, by the test with UPDATE_EXPECTATIONS=1.
"""

import datetime
import io
import pathlib
import re
import struct
import zipfile

import openpyxl
import xlwt
from openpyxl.styles import Font

HERE = pathlib.Path(__file__).parent


def write(name, content, encoding="utf-8"):
    if isinstance(content, str):
        content = content.encode(encoding)
    (HERE / name).write_bytes(content)


def rezip(content, change):
    """The workbook with each part changed, and with the times of the parts taken away."""
    source = zipfile.ZipFile(io.BytesIO(content))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in source.namelist():
            entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            part = source.read(name)
            if name == "docProps/core.xml":
                part = re.sub(rb"20\d\d-[^<]*Z", b"2026-01-01T00:00:00Z", part)
            part = change(name, part)
            archive.writestr(entry, part)
    return target.getvalue()


def xlsx(name, fill, change=lambda name, part: part):
    book = openpyxl.Workbook()
    fill(book)
    content = io.BytesIO()
    book.save(content)
    write(name, rezip(content.getvalue(), change))


def rows(*lines, **settings):
    def fill(book):
        sheet = book.active
        sheet.title = settings.get("title", "Foglio1")
        for line in lines:
            sheet.append(line)

    return fill


def xls(name, fill):
    book = xlwt.Workbook(encoding="utf-8")
    fill(book)
    book.save(str(HERE / name))


def xls_rows(sheet, *lines):
    for row, line in enumerate(lines):
        for column, cell in enumerate(line):
            if cell is not None:
                sheet.write(row, column, cell)


# --- Text: delimiters, encodings, line ends ---------------------------------------------------

ITALIAN = [
    ["Nome", "Telefono", "Città", "Note"],
    ["Niccolò D'Amico", "347 1234567", "Forlì", "già cliente, dal 2019"],
    ["Zoë Rossi", "+39 06 12345678", "Roma", 'detta "la Zì"'],
]
RUSSIAN = [
    ["ФИО", "Мобильный телефон", "Город"],
    ["Пётр Сидоров", "8 (999) 123-45-67", "Орёл"],
    ["Анна Ёлкина", "+7 912 345-67-89", "Йошкар-Ола"],
]


def csv(table, delimiter, end="\r\n", always_quote=False):
    def cell(text):
        if always_quote or any(c in text for c in (delimiter, '"', "\n", "\r")):
            return '"' + text.replace('"', '""') + '"'
        return text

    return "".join(delimiter.join(map(cell, line)) + end for line in table)


write("excel-italian-semicolon.csv", csv(ITALIAN, ";"), "cp1252")
write("excel-italian-utf8-bom.csv", "\ufeff" + csv(ITALIAN, ";"))
write("excel-russian-cp1251.csv", csv(RUSSIAN, ";"), "cp1251")
write("excel-unicode-text-russian.txt", "\ufeff" + csv(RUSSIAN, "\t"), "utf-16-le")
write("utf16-be.csv", "\ufeff" + csv(ITALIAN, ","), "utf-16-be")
write("utf16-le-without-mark.csv", csv(ITALIAN, ","), "utf-16-le")
write("google-comma-utf8.csv", csv(ITALIAN, ",", "\n"))
write("pipe.csv", csv(ITALIAN, "|", "\n"))
write("tab.tsv", csv(ITALIAN, "\t", "\n"))
write("old-mac-line-ends.csv", csv(ITALIAN, ",", "\r"))
write("all-quoted.csv", csv(ITALIAN, ",", "\n", True))
write("sep-declared.csv", "sep=;\r\n" + csv(ITALIAN, ";"))
write(
    "mixed-encodings.csv",
    "telefono;nome\r\n347 1234567;Niccolò\r\n".encode() + "347 1234568;Nicolò\r\n".encode("cp1252"),
)
write("zero-bytes.csv", b"telefono,nome\n347 1234567,Ada\0\0\n\x00348 1234567,Bea\n")
write("german-umlauts-cp1252.csv", "Name;Vorname;Rufnummer\r\nMüller;Jürgen;0171 1234567\r\n", "cp1252")
write("french-cp1252.csv", "Nom;Prénom;N° de téléphone\r\nLefèvre;Zoé;06 12 34 56 78\r\n", "cp1252")
write("spanish-utf8.csv", "Nombre y apellidos;Móvil;Idioma\nÍñigo Núñez;612 34 56 78;es\n")
write("english-us.csv", "First name,Last name,Phone #\nAda,Byron,(202) 555-1234\n")

# --- Text: shape -------------------------------------------------------------------------------

write("title-rows.csv", "Elenco clienti marzo 2026;;\nEstratto il 01/03/2026;;\n;;\nNome;Cellulare;Zona\nAda;3471234567;Nord\n")
write("blank-rows.csv", "\n\nphone,name\n\n+393471234567,Ada\n,,\n\n+393481234567,Bea\n\n")
# What everybody sees as blank, and a program may not: fixed spaces, marks of writing direction and of byte order,
# control characters, empty letters, empty texts of formulas.
BLANKS = ["\u00a0\u2003", "\u200b\ufeff", "\u202a\u202c", "\x01\x7f", "\u2800\u3164", '"="""""', "\u200d\ufe0f"]
write(
    "invisible-characters.csv",
    "\ufeffTelefono;Nome;Città\n"
    + "".join(f"{blank};;{blank}\n" for blank in BLANKS)
    + "\u202a347 1234567\u202c;\ufeffAda\u200b;\u00a0Roma\u2060\n"
    + "".join(f"348 123456{place};{blank};{blank}\n" for place, blank in enumerate(BLANKS))
    + "\u200e\ufeff;Bea;\u00a0\n"
    + "349\u200b1234567;Jo\u200dAnn;ജോണ്\u200d\n",
)
write("invisible-characters.txt", "\u200bAda - \u202a347 1234567\u202c\r\n\u200b\ufeff\r\n\x01\r\n\u2066348 1234567\u2069\u200e Bea\ufeff\r\n")
write("empty-columns.csv", ";;Nome;;Telefono;;;\n;;Ada;;347 1234567;;;\n;;Bea;;348 1234567;;;\n")
write("column-filled-late.csv", "Telefono;\n347 1234567;\n348 1234567;richiamare\n")
write("quoted-newlines.csv", 'phone,note\n+393471234567,"uno\ndue\n\ntre"\n+393481234567,x\n')
write("quote-never-closed.csv", 'phone,name\n+393471234567,"Ada\n+393481234567,Bea\n+393491234567,Carla\n')
write("quote-in-the-middle.csv", 'phone,note\n+393471234567,tubo da 5" e 7"\n')
write("ragged.csv", "phone,name,city\n+393471234567\n+393481234567,Bea,Roma,in più\n")
write("same-headings.csv", "Telefono;Note;Note;note\n347 1234567;a;b;c\n")
write("header-only.csv", "phone,name\n")
write("empty.csv", "")
write("only-blanks.csv", "\r\n \t\r\n")
write("no-header.csv", "Ada Lovelace,347 1234567,Roma\nBea Potter,348 1234567,Pisa\n")
write("no-header-name-by-words.csv", "Roma;347 1234567;Ada Lovelace\nRoma;348 1234567;Bea Potter\nPisa;349 1234567;Carla Fracci\n")
write("unknown-heading.csv", "Nimi;Puhelin;Kaupunki\nAino;+358 40 1234567;Turku\nEero;+358 40 7654321;Oulu\n")
write("two-columns-of-numbers.csv", "a;b;c\nAda;347 1234567;348 1234567\nBea;347 7654321;348 7654321\n")
write("vat-beside-phone.csv", "Ragione sociale;Partita IVA;Recapiti\nAlfa srl;01234567897;02 12345678\nBeta spa;01234567890;06 12345678\n")
write("no-phone.csv", "Nome;Città\nAda;Roma\n")
write("totals-below.csv", "Nome;Telefono\nAda;347 1234567\nTotale;1\n")

# --- Text: one number a line -------------------------------------------------------------------

write("numbers.txt", "+39 347 1234567\r\n\r\n06 12345678\r\n347-123\r\n")
write("numbers-headed.txt", "Rubrica\n3471234567\n3481234567\n")
write("name-dash-number.txt", "Mario Rossi - 347 1234567\nD'Amico, Niccolò – +39 06 12345678\nLuigi Verdi\n")
write("number-name.txt", "347 1234567 Mario Rossi\n+44 20 7946 0958\tAda Lovelace\n348 1234567: Bea\n")
write("name-number-cp1251.txt", "Пётр Сидоров 8 999 123-45-67\r\nАнна, +7 912 345 67 89\r\n", "cp1251")
write("several-numbers-a-line.txt", "Ada 347 1234567\nBea 348 1234567 o 349 1234567\nCarla 340 1234567\n")

# --- Numbers that spreadsheets have damaged ----------------------------------------------------

write(
    "excel-damage.csv",
    "Telefono;Nome\n"
    "3,93471E+11;perso\n"
    "3,93471234567E+11;intero\n"
    "393471234567,0;virgola\n"
    "393471234567.0;punto\n"
    "'+393471234567;apostrofo\n"
    '"=""3471234567""";formula\n'
    "3\u00a0471\u00a0234\u00a0567;spazi fissi\n"
    "+３９３４７１２３４５６７;cifre larghe\n"
    "01/03/2026;data\n"
    "39347123456712345678;troppo lungo\n"
    "79991234567;senza piu\n"
    "#N/D;errore\n",
)
write("lost-zeros.csv", "Telefono,Nome\n612345678,Ada\n3471234567,Bea\n212345678,Carla\n")
write("rounded.csv", "Telefono,Nome\n393471000000,Ada\n393472000000,Bea\n393471234567,Carla\n")
write("rounded-once.csv", "Telefono,Nome\n393471000000,Ada\n3472345678,Bea\n393471234567,Carla\n")
write("lost-zero-once.csv", "Telefono,Nome\n06 12345678,Ada\n212345678,Carla\n")
write(
    "many-numbers-in-a-cell.csv",
    "Telefono;Nome\n"
    "347 1234567 / 06 12345678;due\n"
    "347 1234560, 347 1234561, 347 1234562, 347 1234563, 347 1234564, 347 1234565, 347 1234566, "
    "347 1234567, 347 1234568, 347 1234569;dieci\n"
    '"347 1234567\n348 1234567";a capo\n'
    "cell. 347 1234567 - casa: 06 12345678;etichette\n"
    "02 12345678/9;ultime cifre\n"
    '"347 1234567; int. 12";interno\n',
)
write("several-phone-columns.csv", "Nome;Telefono casa;Cellulare;Fax\nAda;06 12345678;347 1234567;06 12345679\nBea;;348 1234567;\nCarla;n/d;349 1234567;\n")
write("unknown-country-codes.csv", "phone\n+999 123456789\n+39 347 1234567\n00\n")
write("russian-eights.csv", "Телефон;Имя\n89991234567;Пётр\n9991234567;Анна\n79991234567;Олег\n+7 (999) 123 45 67;Яна\n")

# --- What the columns mean ---------------------------------------------------------------------

write(
    "all-columns.csv",
    "phone_number,name,language,time_zone,priority,external_id,email,do_not_call,has_prior_consent,plan\n"
    "+393471234567,Ada,it,Europe/Rome,5,00042,ada@example.com,no,yes,gold\n"
    "+393481234567,Bea,en-GB,,,43,,yes,,\n"
    "+393491234567,Carla,klingon,,,,,,,\n"
    "+393401234567,Dora,,Mars/Olympus,,,,,,\n"
    "+393411234567,Elsa,,,500,,,,,\n"
    "+393421234567,Fede,,,,,,forse,,\n",
)
write("italian-columns.csv", "Codice cliente;Nominativo;Cellulare;E-mail;Non chiamare;Consenso;Fuso orario\n7;Ada;3471234567;a@b.it;;sì;Europe/Rome\n8;Bea;3481234567;;X;no;\n")
write("russian-columns.csv", "Код клиента;Фамилия;Имя;Телефон;Почта;Не звонить;Согласие;Язык\n7;Сидоров;Пётр;+79991234567;p@s.ru;нет;да;русский\n8;Ёлкина;Анна;+79121234567;;да;;ru\n")
write("german-columns.csv", "Kundennummer;Vorname;Nachname;Handy-Nr.;E-Mail-Adresse;Nicht anrufen;Einwilligung;Sprache\nK1;Jürgen;Müller;0171 1234567;j@m.de;nein;ja;Deutsch\n")
write("french-columns.csv", "Identifiant;Nom;Prénom;Portable;Courriel;Ne pas appeler;Consentement;Langue\n1;Lefèvre;Zoé;06 12 34 56 78;z@l.fr;non;oui;français\n")
write("spanish-columns.csv", "Código cliente;Nombre;Apellidos;Teléfono móvil;Correo electrónico;No llamar;Consentimiento;Idioma\n1;Íñigo;Núñez;612 345 678;i@n.es;sí;no;español\n")
write("error-file-mended.csv", "Nome,Telefono,error_row,error_column,error_reason\nAda,347 1234567,7,phone_number,Empty phone number\n")
# Somebody has emptied a row and left what our error file says of it.
write(
    "error-file-emptied.csv",
    "Nome,Telefono,error_row,error_column,error_reason\n"
    "Ada,347 1234567,7,phone_number,Empty phone number\n"
    ",,9,phone_number,Empty phone number\n"
    " ,\u200b,10,phone_number,Empty phone number\n"
    "Bea,,11,phone_number,Empty phone number\n",
)
write("formula-injection.csv", "phone,name,note\n+393471234567,'=HYPERLINK(\"http://x\"),@SUM(A1)\n")

# --- What is no call list ----------------------------------------------------------------------

write("html-table.xls", "<html><body><table><tr><td>Telefono</td></tr><tr><td>3471234567</td></tr></table></body></html>")
write("excel-2003.xml", '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>')
write("list.pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n")
write(
    "stray-quote.csv",
    "Nome;Telefono;Note\n"
    "Ada;347 1234561;\n"
    '"Da Mario Bar;347 1234562;\n'
    "Bea;347 1234563;\n"
    "Carla;347 1234564;\n"
    'Dino;347 1234565;"il ""Moro"""\n'
    "Elsa;347 1234566;\n",
)
write(
    "two-do-not-call-columns.csv",
    "Phone,Name,Do Not Call,Opted out\n"
    "+39 347 1234561,Ada,,yes\n"
    "+39 347 1234562,Bea,yes,no\n"
    "+39 347 1234563,Carla,no,\n"
    "+39 347 1234564,Dino,no,12.3.2026\n",
)
# The mapping beside it says {"name": "2"}: the second column, and not whoever has the identifier 2.
write("mapped-by-number.csv", "id;nome;recapito\n1;Ada;347 1234561\n2;Bea;347 1234562\n3;Carla;347 1234563\n")
write("mapped-by-letter.csv", "classe;alunno;recapito\nA;Ada;347 1234561\nB;Bea;347 1234562\n")
write("photo.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
write("binary.csv", bytes(range(256)) * 4)


def archive(name, entries):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as target:
        for entry in entries:
            target.writestr(zipfile.ZipInfo(entry, (2026, 1, 1, 0, 0, 0)), "<x/>")
    write(name, content.getvalue())


archive("letter.docx", ["[Content_Types].xml", "word/document.xml"])
archive("list.ods", ["mimetype", "content.xml"])
archive("lists.zip", ["list.csv"])
archive("binary.xlsb", ["[Content_Types].xml", "xl/workbook.bin"])
write("cut-off.xlsx", b"PK\x03\x04\x14\0\0\0\x08\0")
write("cut-off.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100)

# --- Excel workbooks ---------------------------------------------------------------------------

xlsx("simple.xlsx", rows(*ITALIAN))
xlsx("russian.xlsx", rows(*RUSSIAN, title="Лист1"))
xlsx(
    "numbers-as-numbers.xlsx",
    rows(["Telefono", "Nome", "Importo"], [393471234567, "Ada", 12.5], [612345678, "Bea", 100], [3471234567.0, "Carla", 0.1]),
)
# What was shown as 3.93471E+11, saved as it was shown and opened again.
xlsx(
    "rounded.xlsx",
    rows(["Telefono", "Nome"], [393471000000, "Ada"], [393471234567, "Bea"], ["393471000000", "Carla"], [612300000, "Dino"]),
)
xlsx(
    "dates.xlsx",
    rows(["Telefono", "Cliente dal", "Ora"], ["347 1234567", datetime.date(2026, 3, 1), datetime.time(9, 30)],
         [datetime.date(2026, 3, 1), datetime.datetime(2026, 3, 1, 18, 0), None]),
)


def merged(book):
    sheet = book.active
    sheet.title = "Clienti"
    sheet["A1"] = "Elenco clienti 2026"
    sheet["A1"].font = Font(bold=True)
    sheet.merge_cells("A1:D1")
    sheet["A2"] = "Estratto il"
    sheet["B2"] = datetime.date(2026, 3, 1)
    for column, heading in enumerate(["Nome", None, "Cellulare", "Note"], 1):
        sheet.cell(4, column, heading)
    sheet.append(["Ada", None, "347 1234567", "x"])
    sheet.append([None, None, None, None])
    sheet.append(["Bea", None, "348 1234567", None])
    sheet.cell(40, 60).font = Font(bold=True)


xlsx("merged-title.xlsx", merged)


def sheets(book):
    book.active.title = "Vuoto"
    for title, state, table in [
        ("Nascosto", "hidden", [["Telefono"], ["349 1234567"]]),
        ("Nascosto bene", "veryHidden", [["Telefono"], ["349 1234568"]]),
        ("Clienti", "visible", [["Telefono", "Nome"], ["347 1234567", "Ada"]]),
        ("Altri", "visible", [["Telefono"], ["348 1234567"]]),
    ]:
        sheet = book.create_sheet(title)
        sheet.sheet_state = state
        for line in table:
            sheet.append(line)


xlsx("hidden-sheets.xlsx", sheets)


def only_hidden(book):
    sheet = book.create_sheet("Nascosto")
    sheet.append(["Telefono"])
    sheet.append(["349 1234567"])
    sheet.sheet_state = "hidden"


xlsx("only-hidden-sheets.xlsx", only_hidden)

SHEET = "xl/worksheets/sheet1.xml"


def sheet_data(data):
    """A workbook with this for its sheet, as other programs than ours write it."""

    def change(name, part):
        if name != SHEET:
            return part
        return (
            '<?xml version="1.0" encoding="UTF-8"?><x:worksheet '
            'xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><x:sheetData>'
            + data + "</x:sheetData></x:worksheet>"
        ).encode()

    return change


xlsx(
    "formulas.xlsx",
    rows(["x"]),
    sheet_data(
        '<x:row r="1"><x:c r="A1" t="inlineStr"><x:is><x:t>Telefono</x:t></x:is></x:c>'
        '<x:c r="B1" t="inlineStr"><x:is><x:r><x:t>No</x:t></x:r><x:r><x:t>me</x:t></x:r></x:is></x:c></x:row>'
        '<x:row r="3"><x:c r="A3"><x:f>B9*1</x:f><x:v>3.93471234567E11</x:v></x:c>'
        '<x:c r="B3" t="str"><x:f>A1&amp;"a"</x:f><x:v>Ada &amp; Bea</x:v></x:c></x:row>'
        '<x:row r="4"><x:c r="A4" t="e"><x:f>VLOOKUP(1,A:A,1)</x:f><x:v>#N/A</x:v></x:c>'
        '<x:c r="B4" t="b"><x:v>1</x:v></x:c></x:row>'
    ),
)
xlsx(
    "without-places.xlsx",
    rows(["x"]),
    sheet_data(
        '<x:row><x:c t="inlineStr"><x:is><x:t>phone</x:t></x:is></x:c><x:c t="inlineStr"><x:is><x:t>name</x:t></x:is></x:c></x:row>'
        '<x:row><x:c t="inlineStr"><x:is><x:t>+393471234567</x:t></x:is></x:c><x:c t="inlineStr"><x:is><x:t>A_x0041_a</x:t></x:is></x:c></x:row>'
    ),
)
# Nothing is to be seen in the second and fourth row, nor in the name of the fifth: zero bytes, fixed spaces,
# marks of writing direction.
xlsx(
    "invisible-characters.xlsx",
    rows(["x"]),
    sheet_data(
        "".join(
            f'<x:row r="{row}">'
            + "".join(
                f'<x:c r="{column}{row}" t="inlineStr"><x:is><x:t xml:space="preserve">{cell}</x:t></x:is></x:c>'
                for column, cell in zip("AB", cells)
            )
            + "</x:row>"
            for row, cells in enumerate(
                [
                    ("_x0000_Telefono", "Nome\ufeff"),
                    ("_x0000_", "\u00a0\u200b"),
                    ("\u202a347 1234567\u202c", "Ada_x0000_"),
                    ("\u200e", "_x0001_ _x007F_"),
                    ("348 1234567", "\u3164\u2060"),
                    ("\u00a0", "Bea"),
                ],
                1,
            )
        )
    ),
)
xlsx("cell-far-right.xlsx", rows(["x"]), sheet_data('<x:row r="1"><x:c r="XFD1"><x:v>1</x:v></x:c></x:row>'))
# Rows with numbers as some generators write them: all alike, going back, larger than any sheet.
xlsx(
    "repeated-row-numbers.xlsx",
    rows(["x"]),
    sheet_data(
        "".join(
            f'<x:row r="{row}"><x:c r="A{row}" t="inlineStr"><x:is><x:t>{cell}</x:t></x:is></x:c></x:row>'
            for row, cell in [(1, "phone"), (1, "12"), (1, "+393471234567"), (9, "13"), (2, "14"), (2**64 - 1, "15")]
        )
    ),
)
xlsx("no-header.xlsx", rows(["Ada Lovelace", 3471234567], ["Bea Potter", 3481234567]))
xlsx("mac-1904.xlsx", rows(["Telefono", "Dal"], ["347 1234567", datetime.date(2026, 3, 1)]),
     lambda name, part: part.replace(b"<workbookPr", b'<workbookPr date1904="1"') if name == "xl/workbook.xml" else part)

# --- Excel workbooks until 2003 ----------------------------------------------------------------


def old(book):
    xls_rows(book.add_sheet("Clienti"), *ITALIAN)


def old_numbers(book):
    sheet = book.add_sheet("Foglio1")
    xls_rows(sheet, ["Telefono", "Nome", "Dal", "Attivo"])
    xls_rows_at = [(393471234567, "Ada", True), (612345678, "Bea", False), (3471234567.0, "Пётр", True)]
    for row, (number, name, active) in enumerate(xls_rows_at, 1):
        sheet.write(row, 0, number)
        sheet.write(row, 1, name)
        sheet.write(row, 2, datetime.date(2026, 3, row), xlwt.easyxf(num_format_str="DD/MM/YYYY"))
        sheet.write(row, 3, active)
    sheet.write(4, 0, xlwt.Formula("A2+1"))


def old_sheets(book):
    hidden = book.add_sheet("Nascosto")
    xls_rows(hidden, ["Telefono"], ["349 1234567"])
    hidden.visibility = 1
    book.add_sheet("Vuoto")
    xls_rows(book.add_sheet("Clienti"), ["Elenco"], [], ["Telefono", "Nome"], ["347 1234567", "Ada"])
    book.set_active_sheet(2)


def old_long(book):
    sheet = book.add_sheet("Lungo")
    xls_rows(sheet, ["Telefono", "Note"])
    for row in range(1, 40):
        xls_rows_text = ("è" if row % 2 else "Ж") * 400 + str(row)
        sheet.write(row, 0, f"347 12345{row:02}")
        sheet.write(row, 1, xls_rows_text)


xls("old.xls", old)
xls("old-numbers.xls", old_numbers)
# The library leaves the results of formulas out; Excel does not.
path = HERE / "old-numbers.xls"
content = path.read_bytes()
formula = re.search(rb"\x06\x00..\x04\x00\x00\x00..", content, re.DOTALL)
result = struct.pack("<d", 393481234567.0)
path.write_bytes(content[: formula.end()] + result + content[formula.end() + 8 :])
xls("old-hidden-sheets.xls", old_sheets)
xls("old-long-texts.xls", old_long)
