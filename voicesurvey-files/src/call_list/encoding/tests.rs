use std::io::Cursor;

use super::*;

fn read(content: &[u8]) -> (String, String) {
    let mut file = TextFile::open(Cursor::new(content.to_vec())).unwrap();
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    let mut again = String::new();
    file.rewind().unwrap();
    file.read_to_string(&mut again).unwrap();
    assert_eq!(text, again);
    assert_eq!(file.progress().read, content.len() as u64);
    (file.encoding(), text)
}

fn wide(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(bytes).collect()
}

#[test]
fn every_encoding_is_recognised_by_content() {
    let western = "Nome;Città\nNiccolò;Forlì\n";
    let cyrillic = "Имя;Город\nПётр;Орёл\n";
    for (content, encoding, text) in [
        (b"a;b\n".to_vec(), "UTF-8", "a;b\n"),
        (western.as_bytes().to_vec(), "UTF-8", western),
        (
            format!("\u{feff}{cyrillic}").into_bytes(),
            "UTF-8",
            cyrillic,
        ),
        (
            wide(&format!("\u{feff}{cyrillic}"), u16::to_le_bytes),
            "UTF-16LE",
            cyrillic,
        ),
        (
            wide(&format!("\u{feff}{western}"), u16::to_be_bytes),
            "UTF-16BE",
            western,
        ),
        (wide(western, u16::to_le_bytes), "UTF-16LE", western),
        (wide(western, u16::to_be_bytes), "UTF-16BE", western),
        (
            WINDOWS_1252.encode(western).0.into_owned(),
            "Windows-1252",
            western,
        ),
        (
            WINDOWS_1251.encode(cyrillic).0.into_owned(),
            "Windows-1251",
            cyrillic,
        ),
    ] {
        assert_eq!(read(&content), (encoding.to_owned(), text.to_owned()));
    }
}

#[test]
fn a_line_in_another_encoding_spoils_no_other() {
    let mut content = "città;Forlì\n".repeat(30_000).into_bytes();
    content.extend(b"Nicol\xf2;Patt\xf9\n");
    let (encoding, text) = read(&content);
    assert_eq!(encoding, "UTF-8 and Windows-1252");
    assert!(text.ends_with("città;Forlì\nNicolò;Pattù\n"));
    assert!(!text.contains('\u{fffd}'));
}

#[test]
fn characters_across_the_chunks_of_a_large_file_are_whole() {
    for text in ["a".to_owned() + &"è".repeat(200_000), "🙂x".repeat(100_000)] {
        assert_eq!(read(text.as_bytes()), ("UTF-8".to_owned(), text.clone()));
        let marked = wide(&format!("\u{feff}{text}"), u16::to_le_bytes);
        assert_eq!(read(&marked), ("UTF-16LE".to_owned(), text));
    }
}

#[test]
fn stray_zero_bytes_are_left_out() {
    let zeros = b"phone;name\n+393545550100;Ada\0\0\n\0".repeat(3);
    assert!(!read(&zeros).1.contains('\0'));
}

#[test]
fn what_is_no_text_is_refused() {
    let error = |content: &[u8]| TextFile::open(Cursor::new(content.to_vec())).err();
    assert_eq!(
        error(&[1, 2, 3, 0, 0, 7, 200, 5]),
        Some(CallListError::unsupported("a binary file"))
    );
    for empty in [&b""[..], "\u{feff}".as_bytes(), b" \r\n\n\t", b"\0\0\0"] {
        assert_eq!(error(empty), Some(CallListError::Empty));
    }
}
