package docproc.judges;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.Security;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.pdfbox.Loader;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.PDSignature;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.cms.Attribute;
import org.bouncycastle.asn1.cms.AttributeTable;
import org.bouncycastle.asn1.cms.ContentInfo;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.SignerInformationVerifier;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.tsp.TimeStampToken;
import org.bouncycastle.util.Selector;
import org.bouncycastle.util.Store;

/**
 * Whether the mathematics of each signature and time-stamp in PDF files holds: RSA, ECDSA and SM2. Says nothing of trust.
 *
 * <p>Usage: {@code BouncyCastle FILE.pdf...}; prints a JSON list, one object for each file.
 */
public final class BouncyCastle {
    private static final String PROVIDER = BouncyCastleProvider.PROVIDER_NAME;

    private BouncyCastle() {}

    public static void main(String[] args) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        List<Map<String, Object>> answers = new ArrayList<>();
        for (String file : args) {
            answers.add(judge(Path.of(file)));
        }
        System.out.println(new ObjectMapper().writeValueAsString(answers));
    }

    private static Map<String, Object> judge(Path file) {
        Map<String, Object> answer = new LinkedHashMap<>();
        List<Map<String, Object>> found = new ArrayList<>();
        answer.put("file", file.toString());
        answer.put("signatures", found);
        try {
            byte[] data = Files.readAllBytes(file);
            try (PDDocument document = Loader.loadPDF(data)) {
                for (PDSignature signature : document.getSignatureDictionaries()) {
                    found.add(verify(signature, data));
                }
            }
        } catch (Exception error) { // an unreadable file is a refusal, however it fails
            answer.put("error", error.toString());
        }
        return answer;
    }

    private static Map<String, Object> verify(PDSignature signature, byte[] data) {
        Map<String, Object> item = new LinkedHashMap<>();
        item.put("sub_filter", signature.getSubFilter());
        item.put("valid", false);
        try {
            int[] range = signature.getByteRange();
            item.put("covers_file", range[0] == 0 && range[2] + range[3] == data.length);
            byte[] signed = signature.getSignedContent(data);
            byte[] contents = signature.getContents(data);
            if ("ETSI.RFC3161".equals(signature.getSubFilter())) {
                item.put("valid", verifyToken(new CMSSignedData(contents), signed, item));
            } else {
                item.put("valid", verifyCms(new CMSSignedData(new CMSProcessableByteArray(signed), contents), item));
            }
        } catch (Exception error) {
            item.put("error", error.toString());
        }
        return item;
    }

    private static boolean verifyCms(CMSSignedData cms, Map<String, Object> item) throws Exception {
        boolean valid = cms.getSignerInfos().size() > 0;
        List<Map<String, Object>> tokens = new ArrayList<>();
        for (SignerInformation signer : cms.getSignerInfos()) {
            item.put("digest", signer.getDigestAlgOID());
            item.put("algorithm", signer.getEncryptionAlgOID());
            X509CertificateHolder certificate = certificateOf(cms.getCertificates(), signer);
            item.put("signer", certificate.getSubject().toString());
            valid &= signer.verify(verifier(certificate));
            valid &= verifySignatureTimestamps(signer, tokens);
        }
        item.put("timestamps", tokens);
        return valid;
    }

    private static boolean verifySignatureTimestamps(SignerInformation signer, List<Map<String, Object>> tokens)
            throws Exception {
        AttributeTable attributes = signer.getUnsignedAttributes();
        boolean valid = true;
        if (attributes == null) {
            return valid;
        }
        ASN1EncodableVector stamps = attributes.getAll(PKCSObjectIdentifiers.id_aa_signatureTimeStampToken);
        for (int i = 0; i < stamps.size(); i++) {
            Map<String, Object> token = new LinkedHashMap<>();
            ContentInfo content = ContentInfo.getInstance(((Attribute) stamps.get(i)).getAttrValues().getObjectAt(0));
            boolean good = verifyToken(new CMSSignedData(content), signer.getSignature(), token);
            token.put("valid", good);
            tokens.add(token);
            valid &= good;
        }
        return valid;
    }

    private static boolean verifyToken(CMSSignedData cms, byte[] stamped, Map<String, Object> item) throws Exception {
        TimeStampToken token = new TimeStampToken(cms);
        String algorithm = token.getTimeStampInfo().getMessageImprintAlgOID().getId();
        byte[] digest = MessageDigest.getInstance(algorithm, PROVIDER).digest(stamped);
        item.put("digest", algorithm);
        item.put("time", token.getTimeStampInfo().getGenTime().toInstant().toString());
        SignerInformation signer = cms.getSignerInfos().getSigners().iterator().next();
        X509CertificateHolder certificate = certificateOf(cms.getCertificates(), signer);
        item.put("signer", certificate.getSubject().toString());
        token.validate(verifier(certificate)); // throws when the signature or the key purpose is wrong
        return Arrays.equals(digest, token.getTimeStampInfo().getMessageImprintDigest());
    }

    @SuppressWarnings("unchecked") // SignerId is a Selector<X509CertificateHolder>, which its type does not say
    private static X509CertificateHolder certificateOf(Store<X509CertificateHolder> store, SignerInformation signer) {
        return store.getMatches((Selector<X509CertificateHolder>) signer.getSID()).iterator().next();
    }

    private static SignerInformationVerifier verifier(X509CertificateHolder certificate) throws Exception {
        return new JcaSimpleSignerInfoVerifierBuilder().setProvider(PROVIDER).build(certificate);
    }
}
