//! Excel workbooks since 2007, read cell by cell so that a large one needs no more memory than a
//! small one, but for the texts that it keeps once for all cells.

mod package;
mod sheet;
mod xml;

use std::collections::HashMap;
use std::io::{Read, Seek};
use std::sync::Arc;

use quick_xml::events::Event;

use self::package::{Inflated, Package, Part};
use self::sheet::SheetRows;
use self::xml::{Xml, attribute};
use super::source::RecordSource as _;
use super::texts::Texts;
use super::workbook::{self, Sheet, Workbook};
use super::{CallListError, Format, ReadLimits, number_format};

/// More formats of cells than Excel allows.
const MOST_STYLES: usize = 1 << 17;

/// What all sheets of a workbook refer to.
#[derive(Debug)]
struct Shared {
    texts: Texts,
    /// Whether a cell of each style shows a date.
    date_styles: Vec<bool>,
    is_from_1904: bool,
}

/// Opens the first visible sheet that has data.
pub(super) fn open<F: Read + Seek + Send + 'static>(
    file: F,
    limits: ReadLimits,
) -> Result<Workbook, CallListError> {
    let mut package = Package::open(file, limits)?;
    let path = workbook_path(&mut package)?;
    let Some(part) = package.find(&path) else {
        return Err(not_a_workbook(&package));
    };
    if path.to_lowercase().ends_with("workbook.bin") {
        return Err(CallListError::unsupported(
            "an Excel binary workbook (.xlsb)",
        ));
    }
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
    let targets = targets(&mut package, &format!("{folder}/_rels/{name}.rels"))?;
    let (listed, is_from_1904) = package.read(part, read_workbook)?;
    let shared = Arc::new(Shared {
        texts: shared_texts(&mut package, folder, &limits)?,
        date_styles: date_styles(&mut package, folder)?,
        is_from_1904,
    });
    let sheets = listed.into_iter().filter_map(|(name, is_visible, id)| {
        let (kind, target) = targets.get(&id)?;
        let place = package.find(&absolute(folder, target))?;
        kind.ends_with("/worksheet").then_some(Sheet {
            name,
            is_visible,
            place,
        })
    });
    let sheets: Vec<Sheet<Part>> = sheets.collect();
    let (sheet, other_sheets) = workbook::choose(sheets, |part| {
        let shared = Arc::clone(&shared);
        package.read(*part, |source| {
            let mut rows = SheetRows::new(source, *part, shared, limits);
            Ok(rows.next_record()?.is_some())
        })
    })?;
    let source = package.into_part(sheet.place)?;
    Ok(Workbook {
        format: Format::Xlsx,
        sheet: sheet.name,
        other_sheets,
        rows: Box::new(SheetRows::new(source, sheet.place, shared, limits)),
    })
}

/// What another archive is.
fn not_a_workbook<F: Read + Seek>(package: &Package<F>) -> CallListError {
    let has = |name: &str| package.find(name).is_some();
    CallListError::unsupported(if has("xl/workbook.bin") {
        "an Excel binary workbook (.xlsb)"
    } else if has("word/document.xml") {
        "a Word document (.docx)"
    } else if has("ppt/presentation.xml") {
        "a PowerPoint presentation (.pptx)"
    } else if has("content.xml") && has("mimetype") {
        "a LibreOffice document (such as .ods)"
    } else if has("Index/Document.iwa") {
        "a Numbers or Pages document"
    } else {
        "a ZIP archive"
    })
}

fn workbook_path<F: Read + Seek>(package: &mut Package<F>) -> Result<String, CallListError> {
    let targets = targets(package, "_rels/.rels")?;
    let document = targets
        .into_values()
        .find(|(kind, _)| kind.ends_with("/officeDocument"))
        .map(|(_, target)| absolute("", &target));
    Ok(document
        .filter(|path| path.to_lowercase().contains("workbook"))
        .unwrap_or_else(|| "xl/workbook.xml".to_owned()))
}

/// A path as it is in the archive.
fn absolute(folder: &str, target: &str) -> String {
    match target.strip_prefix('/') {
        Some(path) => path.to_owned(),
        None if folder.is_empty() => target.to_owned(),
        None => format!("{folder}/{}", target.trim_start_matches("./")),
    }
}

/// Kind and target of each relation, by its identifier.
fn targets<F: Read + Seek>(
    package: &mut Package<F>,
    path: &str,
) -> Result<HashMap<String, (String, String)>, CallListError> {
    let Some(part) = package.find(path) else {
        return Ok(HashMap::new());
    };
    package.read(part, |source| {
        let mut targets = HashMap::new();
        for_each_start(source, |_, element| {
            if let (Some(id), Some(kind), Some(target)) = (
                attribute(element, "Id"),
                attribute(element, "Type"),
                attribute(element, "Target"),
            ) {
                targets.insert(id, (kind, target));
            }
            within(targets.len(), MOST_STYLES)
        })?;
        Ok(targets)
    })
}

/// Name, visibility and relation of each sheet, and whether days are counted from 1904.
type Listed = (Vec<(String, bool, String)>, bool);

fn read_workbook<F: Read + Seek>(source: Inflated<&mut F>) -> Result<Listed, CallListError> {
    let mut sheets = Vec::new();
    let mut is_from_1904 = false;
    for_each_start(source, |name, element| {
        match name {
            "sheet" => {
                let is_visible = attribute(element, "state").is_none_or(|state| state == "visible");
                let name = attribute(element, "name").unwrap_or_default();
                sheets.push((
                    name,
                    is_visible,
                    attribute(element, "id").unwrap_or_default(),
                ));
            }
            "workbookPr" => {
                let date = attribute(element, "date1904");
                is_from_1904 = date.is_some_and(|date| date == "1" || date == "true");
            }
            _ => {}
        }
        within(sheets.len(), MOST_STYLES)
    })?;
    Ok((sheets, is_from_1904))
}

fn shared_texts<F: Read + Seek>(
    package: &mut Package<F>,
    folder: &str,
    limits: &ReadLimits,
) -> Result<Texts, CallListError> {
    let most = limits.max_shared_text_bytes;
    let Some(part) = package.find(&format!("{folder}/sharedStrings.xml")) else {
        return Ok(Texts::default());
    };
    package.read(part, |source| {
        let mut texts = Texts::new(most);
        let mut xml = Xml::new(source);
        loop {
            match xml.next_event()? {
                Event::Start(element) if element.local_name().as_ref() == "si" => {
                    texts.add(|text| sheet::read_rich_text(&mut xml, most, text))?;
                }
                Event::Eof => return Ok(texts),
                _ => {}
            }
        }
    })
}

/// Whether a cell of each style shows a date.
fn date_styles<F: Read + Seek>(
    package: &mut Package<F>,
    folder: &str,
) -> Result<Vec<bool>, CallListError> {
    let Some(part) = package.find(&format!("{folder}/styles.xml")) else {
        return Ok(Vec::new());
    };
    package.read(part, |source| {
        let mut codes: HashMap<u16, String> = HashMap::new();
        let mut styles = Vec::new();
        let mut is_cell_style = false;
        for_each_start(source, |name, element| {
            let number = || attribute(element, "numFmtId")?.parse::<u16>().ok();
            match name {
                "numFmt" => {
                    if let (Some(number), Some(code)) = (number(), attribute(element, "formatCode"))
                    {
                        codes.insert(number, code);
                    }
                }
                "cellXfs" => is_cell_style = true,
                "cellStyleXfs" | "cellStyles" | "dxfs" => is_cell_style = false,
                "xf" if is_cell_style => {
                    let number = number().unwrap_or_default();
                    let code = codes.get(&number).map(String::as_str);
                    styles.push(number_format::is_date(number, code));
                }
                _ => {}
            }
            within(styles.len() + codes.len(), MOST_STYLES)
        })?;
        Ok(styles)
    })
}

fn for_each_start<R: std::io::BufRead>(
    source: R,
    mut take: impl FnMut(&str, &quick_xml::events::BytesStart<'_>) -> Result<(), CallListError>,
) -> Result<(), CallListError> {
    let mut xml = Xml::new(source);
    loop {
        match xml.next_event()? {
            Event::Start(element) => take(element.local_name().as_ref(), &element)?,
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

fn within(count: usize, most: usize) -> Result<(), CallListError> {
    if count > most {
        Err(CallListError::TooLarge)
    } else {
        Ok(())
    }
}
