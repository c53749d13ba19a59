//! XML, event by event, within limits that no workbook needs.

use std::io::{self, BufRead, Read};

use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::package::too_large;
use crate::call_list::CallListError;

/// A tag or a text of a workbook: a cell may have 32,767 characters, and each be written as a
/// number.
const LONGEST_EVENT: usize = 1 << 20;

/// An XML file that is read from its beginning to its end.
pub(super) struct Xml<R> {
    reader: Reader<Bounded<R>>,
    buffer: Vec<u8>,
}

impl<R: BufRead> Xml<R> {
    pub(super) fn new(source: R) -> Self {
        let mut reader = Reader::from_reader(Bounded { source, taken: 0 });
        let config = reader.config_mut();
        // One event for `<c/>` as for `<c></c>`.
        config.expand_empty_elements = true;
        config.check_end_names = false;
        Self {
            reader,
            buffer: Vec::new(),
        }
    }

    /// The next event; `Event::Eof` at the end.
    pub(super) fn next_event(&mut self) -> Result<Event<'_>, CallListError> {
        self.buffer.clear();
        self.reader.get_mut().taken = 0;
        self.reader
            .read_event_into(&mut self.buffer)
            .map_err(|error| match error {
                quick_xml::Error::Io(error) => CallListError::from(io::Error::from(error.kind())),
                _ => CallListError::Damaged,
            })
    }

    pub(super) fn source(&self) -> &R {
        &self.reader.get_ref().source
    }

    /// Adds the text of the element that has just begun to `text`, up to its end. Elements within
    /// it are passed over with their text.
    pub(super) fn text(&mut self, most: usize, text: &mut String) -> Result<(), CallListError> {
        let mut depth = 0;
        loop {
            match self.next_event()? {
                Event::Start(_) => depth += 1,
                Event::End(_) if depth == 0 => return Ok(()),
                Event::End(_) => depth -= 1,
                Event::Eof => return Err(CallListError::Damaged),
                event if depth == 0 => push_text(&event, text),
                _ => {}
            }
            if text.len() > most {
                return Err(CallListError::TooLarge);
            }
        }
    }
}

/// Adds what the event says in plain characters.
fn push_text(event: &Event<'_>, text: &mut String) {
    match event {
        Event::Text(part) => text.push_str(&part.xml10_content()),
        Event::CData(part) => text.push_str(&part.xml10_content()),
        Event::GeneralRef(name) => {
            if let Some(known) = resolve_xml_entity(name) {
                text.push_str(known);
            } else if let Ok(Some(character)) = name.resolve_char_ref() {
                text.push(character);
            }
        }
        _ => {}
    }
}

/// The value of an attribute, whatever its prefix.
pub(super) fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    element
        .attributes()
        .with_checks(false)
        .flatten()
        .find(|attribute| attribute.key.local_name().as_ref() == name)
        .map(
            |attribute| match attribute.normalized_value(XmlVersion::Implicit1_0) {
                Ok(value) => value.into_owned(),
                Err(_) => attribute.value.into_owned(),
            },
        )
}

/// A source that fails when one event takes too much of it.
pub(super) struct Bounded<R> {
    source: R,
    taken: usize,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.source.read(buffer)
    }
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken > LONGEST_EVENT {
            return Err(too_large());
        }
        self.source.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.taken += amount;
        self.source.consume(amount);
    }
}
