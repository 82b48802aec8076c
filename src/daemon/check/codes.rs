//! Complaints about what only a look beyond the text shows: TC11xx, in continuation of
//! `truechimer_config::codes`.
use truechimer_config::{Code, Severity};

macro_rules! registry {
    ($($name:ident = $id:literal $severity:ident $summary:literal;)*) => {
        $(#[doc = $summary] pub const $name: Code =
            Code { id: $id, severity: Severity::$severity, summary: $summary };)*
        /// Every code there is.
        pub const ALL: &[Code] = &[$($name),*];
    };
}

registry! {
    UNREADABLE = "TC1101" Error "The configuration cannot be read.";
    BORROWED = "TC1102" Note "The configuration is another daemon's.";
    OWN_SERVER_BLOCKED = "TC1103" Warning "A restrict line keeps a server of ours from being believed.";
    OWN_SERVER_NOSERVE = "TC1104" Note "A restrict line keeps ntpd, but not us, from believing a server.";
    KEYS_UNREADABLE = "TC1110" Error "The keys file cannot be read.";
    KEYS_FILE_OPEN = "TC1111" Warning "Others than owner and group may use the keys file.";
    KEY_LINE_REFUSED = "TC1112" Error "A line of the keys file gives no key.";
    KEY_LINE_ODD = "TC1113" Warning "A line of the keys file is odd, but gives a key.";
    KEY_MISSING = "TC1114" Warning "A key is used or trusted that is not in the keys file.";
    MD5_KEY = "TC1115" Warning "A key is used with MD5, which does not protect any more.";
    AUTOKEY_OFF = "TC1116" Error "A key file of Autokey cannot be used, so that there is no Autokey.";
    AUTOKEY_FILE = "TC1117" Warning "A key file of Autokey cannot be used; the rest can.";
    AUTOKEY_FILE_ODD = "TC1118" Warning "A key file of Autokey can be used, and could be better.";
    CERTIFICATE_ENDS = "TC1119" Warning "The certificate of Autokey ends soon, or has ended.";
    TRUSTED_CLIENT = "TC1125" Warning "A host whose certificate says that it is trusted has its time by Autokey alone.";
    AUTOKEY_PUBLIC = "TC1124" Note "Autokey does not answer at this host's public addresses.";
    LEAP_FILE_UNUSABLE = "TC1120" Error "The leap second file cannot be used.";
    LEAP_FILE_OLD = "TC1121" Warning "The leap second file has expired, or is about to.";
    PROMISCUOUS = "TC1130" Warning "An interface is promiscuous, so that multicast seems to work.";
    DRIFT_FILE_ODD = "TC1122" Warning "The drift file's content is not believed.";
    DRIFT_FILE_UNREADABLE = "TC1123" Error "The drift file is there and cannot be read.";
}
