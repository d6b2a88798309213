//! The keys of SRTP that a handshake gives, and in what they are used.

use rtc::{
    crypto::RTCCryptoProvider,
    dtls::{extension::extension_use_srtp::SrtpProtectionProfile as Offered, state::State},
    shared::error::Error,
    srtp::{
        config::{Config, LABEL_EXTRACTOR_DTLS_SRTP},
        context::Context,
        option::{srtcp_replay_protection, srtp_replay_protection},
        protection_profile::ProtectionProfile as Profile,
    },
};

/// How packets may be protected (RFC 7714, RFC 5764). AES-GCM takes a quarter of the time of AES-CM with HMAC-SHA1 here.
const PROFILES: [(Offered, Profile); 4] = [
    (Offered::Srtp_Aead_Aes_128_Gcm, Profile::AeadAes128Gcm),
    (Offered::Srtp_Aead_Aes_256_Gcm, Profile::AeadAes256Gcm),
    (Offered::Srtp_Aes128_Cm_Hmac_Sha1_80, Profile::Aes128CmHmacSha1_80),
    (Offered::Srtp_Aes128_Cm_Hmac_Sha1_32, Profile::Aes128CmHmacSha1_32),
];
/// How many of them are AES-GCM.
const GCM: usize = 2;
/// Packets, and reports, that may come late without being taken for somebody's replay.
const REPLAY: (usize, usize) = (1_024, 64);

/// What packets are protected with.
pub(in crate::media) struct Keys {
    pub(super) ours: Context,
    pub(super) theirs: Context,
}

/// Every profile, the best first.
pub(super) fn every() -> Vec<Offered> {
    PROFILES.map(|(offered, _)| offered).to_vec()
}

/// The best.
pub(super) fn best() -> Vec<Offered> {
    PROFILES[..GCM].iter().map(|(offered, _)| *offered).collect()
}

/// The keys of a handshake that is done.
pub(super) fn keys(state: &State, crypto: &dyn RTCCryptoProvider) -> Result<Keys, Error> {
    let negotiated = state.srtp_protection_profile();
    let known = PROFILES.into_iter().find(|(offered, _)| *offered == negotiated);
    let (_, profile) = known.ok_or(Error::ErrNoSuchSrtpProfile)?;
    let mut config = Config { profile, ..Config::default() };
    let material = state.export_keying_material(LABEL_EXTRACTOR_DTLS_SRTP, &[], config.keying_material_len())?;
    config.set_session_keys_from_keying_material(material.as_ref(), state.is_client())?;
    let (keys, crypto) = (&config.keys, crypto.crypto());
    let replay = (srtp_replay_protection(REPLAY.0), srtcp_replay_protection(REPLAY.1));
    Ok(Keys {
        ours: Context::new(&keys.local_master_key, &keys.local_master_salt, profile, None, None, crypto)?,
        theirs: Context::new(
            &keys.remote_master_key,
            &keys.remote_master_salt,
            profile,
            Some(replay.0),
            Some(replay.1),
            crypto,
        )?,
    })
}
