//! The parts of an Excel workbook, which is a ZIP archive of XML files.
//!
//! Nothing is believed that the archive says about sizes: what comes out is counted, and refused
//! when it is more than the limits allow.

use std::collections::HashMap;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use flate2::bufread::DeflateDecoder;
use zip::{CompressionMethod, ZipArchive};

use crate::call_list::{CallListError, ReadLimits};

/// More files than any workbook has.
const MOST_ENTRIES: usize = 20_000;

/// What a part may be larger than its compressed form by, whatever the ratio.
const FREE_BYTES: u64 = 64 << 20;

/// Where a part is in the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    start: u64,
    /// Its length in the file.
    pub(super) length: u64,
    is_deflated: bool,
}

/// A ZIP archive, by the names of its parts.
pub(super) struct Package<F> {
    file: F,
    parts: HashMap<String, Part>,
    limits: ReadLimits,
    /// How many more bytes may be inflated.
    inflatable: u64,
}

/// A part that is being inflated.
pub(super) type Inflated<F> = BufReader<Counted<Inflate<F>>>;

impl<F: Read + Seek> Package<F> {
    pub(super) fn open(file: F, limits: ReadLimits) -> Result<Self, CallListError> {
        let mut archive = ZipArchive::new(file).map_err(|_| CallListError::Damaged)?;
        if archive.len() > MOST_ENTRIES {
            return Err(CallListError::Damaged);
        }
        let mut parts = HashMap::new();
        for index in 0..archive.len() {
            let entry = archive
                .by_index_raw(index)
                .map_err(|_| CallListError::Damaged)?;
            let is_deflated = match entry.compression() {
                CompressionMethod::Stored => false,
                method if method == CompressionMethod::DEFLATE => true,
                _ => continue,
            };
            let name = entry.name().map_err(|_| CallListError::Damaged)?;
            let (Some(start), false) = (entry.data_start(), entry.encrypted()) else {
                continue;
            };
            let part = Part {
                start,
                length: entry.compressed_size(),
                is_deflated,
            };
            parts.insert(normal(&name), part);
        }
        Ok(Self {
            file: archive.into_inner(),
            parts,
            limits,
            inflatable: limits.max_inflated_bytes,
        })
    }

    /// Where the part with this name is; case does not matter.
    pub(super) fn find(&self, name: &str) -> Option<Part> {
        self.parts.get(&normal(name)).copied()
    }

    /// Reads a part with `read`.
    pub(super) fn read<T>(
        &mut self,
        part: Part,
        read: impl FnOnce(Inflated<&mut F>) -> Result<T, CallListError>,
    ) -> Result<T, CallListError> {
        let most = self.most(part);
        read(inflated(&mut self.file, part, most)?)
    }

    /// Reads a part from now on, and nothing else.
    pub(super) fn into_part(self, part: Part) -> Result<Inflated<F>, CallListError> {
        let most = self.most(part);
        inflated(self.file, part, most)
    }

    fn most(&self, part: Part) -> u64 {
        let by_ratio = part.length.saturating_mul(self.limits.max_inflation);
        self.inflatable.min(by_ratio.saturating_add(FREE_BYTES))
    }
}

fn inflated<F: Read + Seek>(
    mut file: F,
    part: Part,
    most: u64,
) -> Result<Inflated<F>, CallListError> {
    file.seek(SeekFrom::Start(part.start))?;
    let raw = BufReader::new(file.take(part.length));
    let inflate = if part.is_deflated {
        Inflate::Deflated(DeflateDecoder::new(raw))
    } else {
        Inflate::Stored(raw)
    };
    Ok(BufReader::with_capacity(
        32 * 1024,
        Counted {
            inner: inflate,
            left: most,
        },
    ))
}

/// Names differ in case, and some programs write them as Windows does.
fn normal(name: &str) -> String {
    name.replace('\\', "/")
        .trim_start_matches('/')
        .to_lowercase()
}

/// The bytes of a part as they were before they were compressed.
pub(super) enum Inflate<F> {
    Stored(BufReader<io::Take<F>>),
    Deflated(DeflateDecoder<BufReader<io::Take<F>>>),
}

impl<F: Read> Inflate<F> {
    /// Bytes of the part that are still in the file.
    pub(super) fn left_in_file(&self) -> u64 {
        match self {
            Self::Stored(raw) => raw.get_ref().limit(),
            Self::Deflated(decoder) => decoder.get_ref().get_ref().limit(),
        }
    }
}

impl<F: Read> Read for Inflate<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Stored(raw) => raw.read(buffer),
            Self::Deflated(decoder) => decoder.read(buffer),
        }
    }
}

/// Fails when more comes than is allowed.
pub(super) struct Counted<R> {
    pub(super) inner: R,
    left: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(length as u64).ok_or_else(too_large)?;
        Ok(length)
    }
}

/// The error by which [`CallListError`] knows that a workbook is a bomb.
pub(super) fn too_large() -> io::Error {
    io::ErrorKind::FileTooLarge.into()
}
