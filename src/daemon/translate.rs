//! The operator's settings in each room's own terms. Rooms do not know each other; this does.

pub mod access;
pub mod autokey;
pub mod control;
pub mod hardware;
pub mod keys;
pub mod listening;
pub mod statistics;
pub mod system;
pub mod threads;
