//! The registry of complaint codes: one line each, never reused for another meaning.
//!
//! TC01xx text and words, TC02xx associations, TC03xx access, TC04xx keys, TC05xx reference clocks,
//! TC06xx `tos`, `tinker`, `enable`, TC07xx files, TC09xx not built yet, TC10xx lints of what is written, TC11xx
//! (in the daemon) of the files it names.

use crate::diagnostic::Severity;

/// A kind of complaint: its code, how grave it is, and what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// What is printed and documented, such as `TC0102`.
    pub id: &'static str,
    /// How grave a complaint of this kind is.
    pub severity: Severity,
    /// One line of explanation for the code's documentation.
    pub summary: &'static str,
}

macro_rules! registry {
    ($($name:ident = $id:literal $severity:ident $summary:literal;)*) => {
        $(#[doc = $summary] pub const $name: Code =
            Code { id: $id, severity: Severity::$severity, summary: $summary };)*
        /// Every code there is.
        pub const ALL: &[Code] = &[$($name),*];
    };
}

registry! {
    UNKNOWN_DIRECTIVE = "TC0101" Error "The first word of a line is no ntp.conf directive.";
    UNKNOWN_OPTION = "TC0102" Error "A word is no option of its directive.";
    MISSING_VALUE = "TC0103" Error "A directive or option lacks the value it needs.";
    BAD_NUMBER = "TC0104" Error "A number was expected and something else was found.";
    OUT_OF_RANGE = "TC0105" Error "A number is outside the range its option allows.";
    TRAILING_WORDS = "TC0106" Error "There are words after the end of a directive.";
    OPEN_QUOTE = "TC0107" Error "A quoted string is not closed on its line.";
    NOT_UTF8 = "TC0108" Error "The text is not UTF-8 outside a comment.";
    NOT_UTF8_COMMENT = "TC0109" Warning "A comment is not UTF-8; nothing is lost by it.";
    CONTROL_CHARACTER = "TC0110" Error "There is a control character in a line.";
    ODD_BLANK = "TC0111" Warning "A blank is not a space or tab, as when copied from a web page.";
    FILE_TOO_LARGE = "TC0112" Error "A file is larger than 1 MiB.";
    BAD_DATE = "TC0115" Error "A date is not written YYYY-MM-DD.";
    BAD_ASSIGNMENT = "TC0116" Error "A variable is not written NAME=VALUE.";
    LINE_TOO_LONG = "TC0114" Error "A line is longer than 4096 bytes.";
    TOO_MANY_COMPLAINTS = "TC0113" Error "There are more complaints than are shown.";

    BAD_HOST = "TC0201" Error "A server is neither an address nor a possible name.";
    NOT_UNICAST = "TC0202" Error "A server's address is not one that a client can ask.";
    FAMILY_MISMATCH = "TC0203" Error "An address is not of the family that -4 or -6 asks for.";
    POLLS_CROSSED = "TC0204" Error "minpoll is greater than maxpoll.";
    MAXPOLL_RAISED = "TC0205" Warning "minpoll is above the default maxpoll, which moves up with it.";
    DUPLICATE_SERVER = "TC0206" Warning "The same address is a server twice; the second line is dropped.";
    SERVERS_ALIAS = "TC0207" Warning "`servers` is OpenNTPD's word and is read as `pool`.";
    TOO_MANY_ASSOCIATIONS = "TC0208" Error "There are more than 1024 servers and reference clocks.";
    OPTION_WITHOUT_EFFECT = "TC0209" Warning "An option means nothing for this kind of source.";
    POLL_CLAMPED = "TC0211" Warning "A poll interval is out of range and was brought into it.";
    NOTHING_TO_REMOVE = "TC0212" Warning "A line removes what no line before it made.";
    LEFT_OUT = "TC0210" NotBuilt "A server, peer or group wants protection that is not built yet and is left out.";
    NOT_A_GROUP = "TC0213" Error "A group is not one, or is not written as an address.";

    BAD_RESTRICT_TARGET = "TC0301" Error "A restrict line is for no address, net, `default` or `source`.";
    BAD_MASK = "TC0302" Error "A mask is no mask of its address's family.";
    HOST_BITS = "TC0303" Warning "Host bits under the mask were cleared.";
    KOD_WITHOUT_LIMITED = "TC0304" Warning "`kod` does nothing without `limited`.";
    FLAGS_CONTRADICT = "TC0305" Warning "`epeer` and `noepeer` are on one line; the last one counts.";
    TOO_MANY_RULES = "TC0306" Error "There are more than 4096 restrict or interface lines.";
    UNSPECIFIED_TARGET = "TC0307" Warning "`restrict 0.0.0.0` or `::` without a mask is about nobody.";
    UNKNOWN_FLAG = "TC0310" Error "A word is no restrict flag.";
    BAD_INTERFACE_RULE = "TC0320" Error "An interface line lacks `listen`, `ignore` or `drop`.";
    BAD_INTERFACE_TARGET = "TC0321" Error "An interface line names nothing that can be matched.";

    BAD_KEY_ID = "TC0401" Error "A key identifier is not in 1 to 65535.";
    BAD_KEY_RANGE = "TC0402" Error "A range of keys is not written `(first ... last)`.";
    RANDFILE_UNUSED = "TC0404" Note "Random numbers come from the kernel; no file is read for them.";
    AUTOKEY_OFF = "TC0405" Warning "A server, peer or group wants Autokey, which no `crypto` line turns on; it is left out.";
    IDENT_ALONE = "TC0406" Warning "A server or its like has `ident` and not `autokey`; it is left out.";
    TOO_MANY_GROUPS = "TC0407" Error "`crypto ident` names more than 64 groups.";
    TRUSTED_KEYS_ADD_UP = "TC0403" Note "Several trustedkey lines add up here; in ntpd the last one wins.";

    UNKNOWN_DRIVER = "TC0501" Error "There is no reference clock driver of this number.";
    DRIVER_NOT_BUILT = "TC0502" NotBuilt "The reference has this clock driver; it is not built yet.";
    NOT_A_REFCLOCK = "TC0503" Error "A fudge line is for an address that is no reference clock.";
    ORPHAN_FUDGE = "TC0504" Warning "A fudge line is for a reference clock that no server line starts.";
    REFID_TRUNCATED = "TC0505" Warning "A refid has more than four characters and was cut.";
    BAD_REFID = "TC0506" Error "A refid has characters other than printable ASCII.";
    REFCLOCK_POOL = "TC0507" Error "A reference clock cannot be a pool.";

    TOO_MANY_VARIABLES = "TC0604" Error "There are more than 256 variables.";
    CLOCKS_CROSSED = "TC0601" Error "`tos minclock` is greater than `tos maxclock`.";
    CEILING_LOWERED = "TC0602" Warning "`tos ceiling` is lowered to 15, the greatest stratum there is.";
    DIGEST_ENDS_NOTHING = "TC0605" Note "A packet with a wrong digest ends no association, whatever ntpd would do.";
    STEPOUT_RAISED = "TC0603" Warning "`tinker stepout` is raised to 300 s, its least value.";

    CANNOT_INCLUDE = "TC0701" Error "An included file cannot be read.";
    INCLUDE_TOO_DEEP = "TC0702" Error "Includes are nested more than five deep.";
    INCLUDE_LOOP = "TC0703" Error "A file includes itself.";
    TOO_MANY_INCLUDES = "TC0704" Error "More than 64 files or 4 MiB are included.";
    OPEN_BLOCK = "TC0117" Error "A block is not closed by its brace.";
    CLIMBING_PATH = "TC0706" Error "A file name leaves its folder by `..`.";
    EMPTY_PATH = "TC0705" Error "A file name is empty.";

    NOT_BUILT = "TC0901" NotBuilt "ntpd 4.2.8 knows this word; it is not built yet.";

    CONTROL_KEY_SHARED = "TC1001" Warning "The control key is also used by an association.";
    FEW_SOURCES = "TC1002" Warning "Fewer than four sources cannot outvote a wrong one safely.";
    ONE_DOMAIN = "TC1003" Note "All server names are under one domain.";
    KEY_NOT_TRUSTED = "TC1004" Warning "A key is used that no trustedkey line names.";
    NO_KEYS_FILE = "TC1005" Warning "Keys are used and there is no keys file.";
    FAST_POLL = "TC1006" Warning "A server outside private networks is polled faster than every 16 s.";
    OPEN_DEFAULT = "TC1007" Warning "The default access lets everybody query, or query and modify.";
    ONE_NETWORK = "TC1008" Note "All servers, by address, are in one network.";
    NEVER_MET = "TC1009" Warning "A `tos` value can never be met, so the clock would never be set.";
    LOCAL_AS_GOOD = "TC1010" Warning "The local clock claims a stratum that others would believe.";
    PANIC_OFF = "TC1011" Warning "Any offset is believed at any time.";
    MANY_UNKEYED = "TC1012" Warning "What is sent to many, or looked for among many, has no key, so it is not believed.";
    PEER_UNKEYED = "TC1013" Warning "A symmetric peer has no key.";
    NO_TRUSTED_KEY = "TC1014" Warning "Groups are listened to, and no key is trusted, so nothing is believed.";
    PEER_OF_ITSELF = "TC1015" Warning "A peer is this host itself.";
    NOBODY_HEARD = "TC1016" Warning "Broadcasts are listened for, and the access rules refuse them all.";
    MANYCAST_FOR_BROADCAST = "TC1020" Warning "A manycast server's group is the one where time is broadcast.";
    PRIVATE_REQUESTS = "TC1017" Warning "Private requests (mode 7), ntpdc's, are answered.";
    AUTH_OFF = "TC1021" Warning "Who comes unasked is believed without a key.";
    AUTOKEY_WEAK = "TC1022" Warning "Autokey is on; what it proves can be forged within seconds.";
    IDENTITY_UNPROVEN = "TC1023" Warning "A server is to be believed by Autokey without a proof of identity.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_unique_and_well_formed() {
        let mut seen = std::collections::BTreeSet::new();
        for code in ALL {
            assert!(seen.insert(code.id), "{} is used twice", code.id);
            assert!(
                code.id.len() == 6 && code.id.starts_with("TC"),
                "{}",
                code.id
            );
            assert!(code.summary.ends_with('.'), "{}", code.id);
        }
    }
}
