//! Files that people exchange with the product: call lists in, error files and results out.
//!
//! What comes in is judged by its content, never by its name, and read without guessing at values:
//! a cell reaches the domain as it stands, and the domain says what is wrong with it. What goes out
//! opens in a spreadsheet without running anything that a respondent or a list may have put in
//! (phone numbers survive that).
//!
//! ```
//! use voicesurvey_core::phone_number::Region;
//! use voicesurvey_files::call_list::{ReadLimits, read_call_list};
//!
//! // Semicolons, an Italian heading, a bare national number; the blank line keeps its row number.
//! let file = "Nome;Telefono;Città\r\n\r\nNiccolò D'Amico;(347) 123-4567;Forlì\r\n";
//! let list = read_call_list("clienti.csv", file.as_bytes(), &ReadLimits::default())?;
//! let contact = list.rows[0].contact(Region::IT).map_err(|error| error.message());
//! assert_eq!(contact.map(|contact| contact.phone_number.to_string()), Ok("+393471234567".into()));
//! assert_eq!(list.rows[0].row, 3);
//! assert_eq!(list.rows[0].extra["Città"], "Forlì");
//! # Ok::<(), voicesurvey_files::call_list::CallListError>(())
//! ```

pub mod call_list;
pub mod error_file;
pub mod results;

mod cell;
mod column_names;
mod table;
mod table_writer;

pub use table_writer::Encoding;
