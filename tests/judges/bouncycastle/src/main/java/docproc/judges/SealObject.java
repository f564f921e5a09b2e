package docproc.judges;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.Security;
import java.security.Signature;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1BitString;
import org.bouncycastle.asn1.ASN1GeneralizedTime;
import org.bouncycastle.asn1.ASN1IA5String;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.ASN1Sequence;
import org.bouncycastle.asn1.ASN1UTF8String;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

/**
 * What seal objects by GB/T 38540-2020 (SES_Seal, version 4) say, and whether their maker's SM2 signature holds.
 *
 * <p>Usage: {@code SealObject FILE.esl...}; prints a JSON list, one object for each file. Says nothing of trust.
 */
public final class SealObject {
    private static final String PROVIDER = BouncyCastleProvider.PROVIDER_NAME;

    private SealObject() {}

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
        answer.put("valid", false);
        try {
            ASN1Sequence whole = sequence(ASN1Sequence.fromByteArray(Files.readAllBytes(file)), 4);
            ASN1Sequence info = ASN1Sequence.getInstance(whole.getObjectAt(0));
            describe(info, answer);
            byte[] certificate = ASN1OctetString.getInstance(whole.getObjectAt(1)).getOctets();
            String algorithm = ASN1ObjectIdentifier.getInstance(whole.getObjectAt(2)).getId();
            X509CertificateHolder maker = new X509CertificateHolder(certificate);
            answer.put("algorithm", algorithm);
            answer.put("maker", maker.getSubject().toString());
            Signature check = Signature.getInstance(algorithm, PROVIDER);
            check.initVerify(new JcaX509CertificateConverter().setProvider(PROVIDER).getCertificate(maker));
            check.update(info.getEncoded("DER"));
            answer.put("valid", check.verify(ASN1BitString.getInstance(whole.getObjectAt(3)).getOctets()));
        } catch (Exception error) { // what cannot be read is refused, however it fails
            answer.put("error", error.toString());
        }
        return answer;
    }

    private static void describe(ASN1Sequence info, Map<String, Object> answer) throws Exception {
        ASN1Sequence header = sequence(info.getObjectAt(0), 3);
        ASN1Sequence property = sequence(info.getObjectAt(2), 7);
        ASN1Sequence picture = sequence(info.getObjectAt(3), 4);
        answer.put("id", ASN1IA5String.getInstance(header.getObjectAt(0)).getString());
        answer.put("version", number(header.getObjectAt(1)));
        answer.put("seal_id", ASN1IA5String.getInstance(info.getObjectAt(1)).getString());
        answer.put("type", number(property.getObjectAt(0)));
        answer.put("name", ASN1UTF8String.getInstance(property.getObjectAt(1)).getString());
        List<String> certificates = new ArrayList<>();
        for (ASN1Encodable item : ASN1Sequence.getInstance(property.getObjectAt(3))) {
            certificates.add(sha256(ASN1OctetString.getInstance(item).getOctets()));
        }
        answer.put("certificates", certificates);
        answer.put("created", time(property.getObjectAt(4)));
        answer.put("valid_from", time(property.getObjectAt(5)));
        answer.put("valid_to", time(property.getObjectAt(6)));
        answer.put("picture", ASN1IA5String.getInstance(picture.getObjectAt(0)).getString());
        answer.put("picture_sha256", sha256(ASN1OctetString.getInstance(picture.getObjectAt(1)).getOctets()));
        answer.put("width", number(picture.getObjectAt(2)));
        answer.put("height", number(picture.getObjectAt(3)));
    }

    private static ASN1Sequence sequence(Object item, int size) {
        ASN1Sequence found = ASN1Sequence.getInstance(item);
        if (found.size() != size) {
            throw new IllegalArgumentException("a sequence of " + found.size() + " where " + size + " are due");
        }
        return found;
    }

    private static int number(ASN1Encodable item) {
        return ASN1Integer.getInstance(item).intValueExact();
    }

    private static String time(ASN1Encodable item) throws Exception {
        return ASN1GeneralizedTime.getInstance(item).getDate().toInstant().toString();
    }

    private static String sha256(byte[] data) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(data));
    }
}
