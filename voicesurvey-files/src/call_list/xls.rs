//! Excel workbooks until 2003 (BIFF5 and BIFF8), read cell by cell.
//!
//! The file is held in memory, which its size bounds; nothing that it claims about its contents is
//! used to reserve any.

mod biff;
mod cells;

use std::io::{Read, Seek};
use std::sync::Arc;

use encoding_rs::{Encoding, WINDOWS_1251, WINDOWS_1252};

use self::biff::{Records, Strings, le_u16, le_u32};
use self::cells::CellRows;
use super::source::RecordSource as _;
use super::texts::Texts;
use super::workbook::{self, Sheet, Workbook};
use super::{CallListError, Format, ReadLimits, number_format};

/// What all sheets of a workbook refer to.
#[derive(Debug)]
struct Shared {
    stream: Vec<u8>,
    texts: Texts,
    /// Whether a cell of each style shows a date.
    date_styles: Vec<bool>,
    is_from_1904: bool,
    encoding: TextEncoding,
}

/// How texts are written: since BIFF8 in UTF-16, before in the code page of a country.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TextEncoding {
    Unicode,
    CodePage(&'static Encoding),
}

/// Opens the first visible sheet that has data.
pub(super) fn open<F: Read + Seek>(file: F, limits: ReadLimits) -> Result<Workbook, CallListError> {
    let stream = workbook_stream(file, &limits)?;
    let (sheets, shared) = read_globals(stream, &limits)?;
    let shared = Arc::new(shared);
    let (sheet, other_sheets) = workbook::choose(sheets, |place| {
        let mut rows = CellRows::new(Arc::clone(&shared), *place, limits);
        Ok(rows.next_record()?.is_some())
    })?;
    Ok(Workbook {
        format: Format::Xls,
        sheet: sheet.name,
        other_sheets,
        rows: Box::new(CellRows::new(shared, sheet.place, limits)),
    })
}

/// The part of the file that is the workbook: the file is a small file system.
fn workbook_stream<F: Read + Seek>(
    mut file: F,
    limits: &ReadLimits,
) -> Result<Vec<u8>, CallListError> {
    if file.seek(std::io::SeekFrom::End(0))? > limits.max_xls_bytes {
        return Err(CallListError::TooLarge);
    }
    let mut folder = cfb::CompoundFile::open(file).map_err(|_| CallListError::Damaged)?;
    if folder.is_stream("/EncryptedPackage") {
        return Err(CallListError::Protected);
    }
    let Some(path) = ["/Workbook", "/Book"]
        .into_iter()
        .find(|path| folder.is_stream(path))
    else {
        return Err(CallListError::unsupported(
            if folder.is_stream("/WordDocument") {
                "a Word document (.doc)"
            } else if folder.is_stream("/PowerPoint Document") {
                "a PowerPoint presentation (.ppt)"
            } else {
                "an Office document that is no workbook"
            },
        ));
    };
    let stream = folder
        .open_stream(path)
        .map_err(|_| CallListError::Damaged)?;
    let mut content = Vec::new();
    stream
        .take(limits.max_xls_bytes)
        .read_to_end(&mut content)
        .map_err(|_| CallListError::Damaged)?;
    Ok(content)
}

type Sheets = Vec<Sheet<usize>>;

fn read_globals(stream: Vec<u8>, limits: &ReadLimits) -> Result<(Sheets, Shared), CallListError> {
    let mut encoding = TextEncoding::Unicode;
    let mut sheets = Vec::new();
    let mut texts = Texts::default();
    let mut is_from_1904 = false;
    let mut formats = std::collections::HashMap::new();
    let mut styles = Vec::new();
    for record in Records::new(&stream, 0) {
        match record.kind {
            biff::BEGIN if le_u16(record.data, 0) == Some(0x0500) => {
                encoding = TextEncoding::CodePage(WINDOWS_1252);
            }
            biff::BEGIN if le_u16(record.data, 0) != Some(0x0600) => {
                return Err(CallListError::unsupported(
                    "an Excel workbook of before 1993",
                ));
            }
            biff::PASSWORD => return Err(CallListError::Protected),
            biff::CODE_PAGE => {
                if let TextEncoding::CodePage(page) = &mut encoding {
                    *page = code_page(le_u16(record.data, 0));
                }
            }
            biff::FROM_1904 => is_from_1904 = le_u16(record.data, 0) == Some(1),
            biff::SHEET => sheets.extend(read_sheet(record.data, encoding)),
            biff::TEXTS => texts = read_texts(&stream, record.start, limits)?,
            biff::FORMAT => {
                if let Some((number, code)) = read_format(record.data, encoding) {
                    formats.insert(number, code);
                }
            }
            biff::STYLE => styles.push(le_u16(record.data, 2).unwrap_or_default()),
            biff::END => break,
            _ => {}
        }
    }
    let is_date = |number: &u16| {
        let code = formats.get(number).map(String::as_str);
        number_format::is_date(*number, code)
    };
    let shared = Shared {
        texts,
        date_styles: styles.iter().map(is_date).collect(),
        is_from_1904,
        encoding,
        stream,
    };
    Ok((sheets, shared))
}

/// Nothing for a chart, which is a sheet too.
fn read_sheet(data: &[u8], encoding: TextEncoding) -> Option<Sheet<usize>> {
    let place = usize::try_from(le_u32(data, 0)?).ok()?;
    let (visibility, kind) = (data.get(4)? & 3, *data.get(5)?);
    let length = usize::from(*data.get(6)?);
    let mut text = Strings::new(data.get(7..)?);
    let name = text.read(length, encoding);
    (kind == 0).then_some(Sheet {
        name,
        is_visible: visibility == 0,
        place,
    })
}

fn read_format(data: &[u8], encoding: TextEncoding) -> Option<(u16, String)> {
    let number = le_u16(data, 0)?;
    let (length, rest) = match encoding {
        TextEncoding::Unicode => (usize::from(le_u16(data, 2)?), data.get(4..)?),
        TextEncoding::CodePage(_) => (usize::from(*data.get(2)?), data.get(3..)?),
    };
    Some((number, Strings::new(rest).read(length, encoding)))
}

/// The texts of the workbook, which go on over as many records as it takes.
fn read_texts(stream: &[u8], start: usize, limits: &ReadLimits) -> Result<Texts, CallListError> {
    let mut records = Records::new(stream, start);
    let mut pieces: Vec<&[u8]> = records
        .next()
        .map(|record| record.data)
        .into_iter()
        .collect();
    pieces.extend(
        records
            .take_while(|r| r.kind == biff::CONTINUE)
            .map(|r| r.data),
    );
    let mut texts = Texts::new(limits.max_shared_text_bytes);
    let mut strings = Strings::of_pieces(&pieces);
    strings.skip(8);
    while !strings.is_at_end() {
        texts.add(|text| {
            strings.read_rich(text);
            Ok(())
        })?;
    }
    Ok(texts)
}

fn code_page(number: Option<u16>) -> &'static Encoding {
    match number {
        Some(1250) => encoding_rs::WINDOWS_1250,
        Some(1251) => WINDOWS_1251,
        Some(1253) => encoding_rs::WINDOWS_1253,
        Some(1254) => encoding_rs::WINDOWS_1254,
        Some(866) => encoding_rs::IBM866,
        Some(10000) => encoding_rs::MACINTOSH,
        _ => WINDOWS_1252,
    }
}
