//! Exit codes, those of sysexits(3) where it has one.
use std::process::ExitCode;

/// How a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All is well.
    Good,
    /// What was asked failed, or the clock is not synchronized.
    Failed,
    /// The command line is not understood.
    Usage,
    /// A needed resource is not to be had, as a port another program holds.
    Unavailable,
    /// Not without more privileges.
    NoPermission,
    /// The configuration is not understood; a restart would not help.
    Configuration,
    /// ntpd's code for a privilege drop that failed, and for panic.
    NtpdFailure,
}

impl Exit {
    /// The number.
    pub const fn code(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Unavailable => 69,
            Self::NoPermission => 77,
            Self::Configuration => 78,
            Self::NtpdFailure => 255,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
