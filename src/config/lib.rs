//! ntp.conf: text to typed [`Settings`], and a positioned complaint for everything that is wrong.
//!
//! This room knows the operator's words and nothing else: it opens no file (a [`Loader`] does), it
//! resolves no name, and it does not know what the daemon makes of a setting. [`parse`] never stops
//! at the first complaint; [`lint`] looks at settings that parsed and says what is unwise in them.
//!
//! A line with an error leaves nothing behind in the settings, so a half-understood access rule can
//! never be applied. Words of the ntpd 4.2.8 grammar that are not built yet are reported as
//! [`Severity::NotBuilt`] and listed in one table, `grammar/not_built.rs`.
//!
//! ```
//! use truechimer_config::{parse, NoFiles};
//!
//! let parsed = parse("ntp.conf", b"server 192.0.2.1 iburst\nrestrict default noqyery\n", &NoFiles);
//! assert!(parsed.has_errors());
//! assert_eq!(parsed.settings.associations.len(), 1);
//! assert!(parsed.render(false).contains("ntp.conf:2:18"));
//! ```
#![forbid(unsafe_code)]

pub mod codes;
mod diagnostic;
mod embedded;
mod grammar;
mod lexer;
mod lint;
pub mod settings;
mod source;
mod suggest;
mod write;

pub use codes::Code;
pub use diagnostic::{Diagnostic, Severity, Span, render};
pub use embedded::EMBEDDED_DEFAULT;
pub use grammar::drivers::driver_name;
pub use grammar::{Parsed, limits, parse, parse_all};
pub use lint::lint;
pub use settings::Settings;
pub use source::{LoadError, Loader, NoFiles, Sources, mask_passwords};
pub use write::write;
