//! Lines of a configuration.
use super::address;
use crate::config::{AssociationConfig, AssociationKind, Remote};

pub(in super::super) fn server_line(last: u8) -> AssociationConfig {
    let mut line = AssociationConfig::server(Remote::Address(address(last)));
    line.iburst = true;
    line
}

pub(in super::super) fn named_line(kind: AssociationKind, name: &str) -> AssociationConfig {
    let mut line = AssociationConfig::server(Remote::Name(name.to_owned()));
    line.kind = kind;
    line.iburst = true;
    line
}
