//! What has to come out of the recorded Macs.
