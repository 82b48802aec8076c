//! Requests with session keys: what is answered at once, what is left to holders of keys, what is not.
mod askers;
mod costs;
mod messages;
mod sessions;
mod world;
