//! A letter that only its holder can read: CMS EnvelopedData, AES-256 for the content, its key under the partner's RSA key. What every
//! mail program that speaks S/MIME reads.

use chassis::Entropy;
use cms::{
    builder::{
        ContentEncryptionAlgorithm, EnvelopedDataBuilder, KeyEncryptionInfo, KeyTransRecipientInfoBuilder,
        RecipientInfoBuilder, RecipientInfoType,
    },
    cert::IssuerAndSerialNumber,
    content_info::{CmsVersion, ContentInfo},
    enveloped_data::{RecipientIdentifier, RecipientInfo},
};
use der::{Any, Encode, oid::db::rfc5911::ID_ENVELOPED_DATA};
use rsa::{
    RsaPublicKey,
    pkcs8::DecodePublicKey,
    rand_core::{CryptoRng, Error as RngError, RngCore},
    traits::PublicKeyParts,
};
use x509_cert::Certificate;

/// The smallest key that is still taken, in bytes.
const SMALLEST: usize = 256;

/// To whom alone it is readable.
#[derive(Debug, Clone)]
pub struct Recipient {
    id: IssuerAndSerialNumber,
    key: RsaPublicKey,
}

/// The process's randomness, as these crates want it.
#[derive(Clone)]
struct Random(Entropy);

/// One recipient, with the algorithm's parameters as RFC 3370 wants them: NULL, which the builder leaves out.
struct OfRfc<B>(B);

impl Recipient {
    /// From a certificate in PEM.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn read(pem: &[u8]) -> Result<Self, &'static str> {
        let chain = Certificate::load_pem_chain(pem).map_err(|_| "no certificate in PEM")?;
        let [certificate] = chain.as_slice() else { return Err("one certificate is wanted, the partner's own") };
        let certificate = &certificate.tbs_certificate;
        let spki = certificate.subject_public_key_info.to_der().map_err(|_| "its key can't be read")?;
        let key = RsaPublicKey::from_public_key_der(&spki).map_err(|_| "its key is no RSA key")?;
        if key.size() < SMALLEST {
            return Err("its key has fewer than 2,048 bits");
        }
        let id = IssuerAndSerialNumber {
            issuer: certificate.issuer.clone(),
            serial_number: certificate.serial_number.clone(),
        };
        Ok(Self { id, key })
    }

    /// The content for their eyes only, in DER; none if it can't be made.
    pub(super) fn enveloped(&self, content: &[u8], entropy: &Entropy) -> Option<Vec<u8>> {
        let (mut keys, mut random) = (Random(entropy.clone()), Random(entropy.clone()));
        let id = RecipientIdentifier::IssuerAndSerialNumber(self.id.clone());
        let recipient =
            KeyTransRecipientInfoBuilder::new(id, KeyEncryptionInfo::Rsa(self.key.clone()), &mut keys).ok()?;
        let mut builder = EnvelopedDataBuilder::new(None, content, ContentEncryptionAlgorithm::Aes256Cbc, None).ok()?;
        builder.add_recipient_info(OfRfc(recipient)).ok()?;
        let enveloped = builder.build_with_rng(&mut random).ok()?;
        let content = Any::encode_from(&enveloped).ok()?;
        ContentInfo { content_type: ID_ENVELOPED_DATA, content }.to_der().ok()
    }
}

impl<B: RecipientInfoBuilder> RecipientInfoBuilder for OfRfc<B> {
    fn recipient_info_type(&self) -> RecipientInfoType {
        self.0.recipient_info_type()
    }

    fn recipient_info_version(&self) -> CmsVersion {
        self.0.recipient_info_version()
    }

    fn build(&mut self, key: &[u8]) -> Result<RecipientInfo, cms::builder::Error> {
        let mut info = self.0.build(key)?;
        if let RecipientInfo::Ktri(info) = &mut info {
            info.key_enc_alg.parameters = Some(Any::null());
        }
        Ok(info)
    }
}

impl RngCore for Random {
    fn next_u32(&mut self) -> u32 {
        u32::from_ne_bytes(self.0.bytes())
    }

    fn next_u64(&mut self) -> u64 {
        u64::from_ne_bytes(self.0.bytes())
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), RngError> {
        self.0.fill(bytes);
        Ok(())
    }
}

/// The process's generator is the operating system's, or seeded by it; a seeded one is a test's.
impl CryptoRng for Random {}
