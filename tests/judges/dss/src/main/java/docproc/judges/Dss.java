package docproc.judges;

import com.fasterxml.jackson.databind.ObjectMapper;
import eu.europa.esig.dss.diagnostic.DiagnosticData;
import eu.europa.esig.dss.diagnostic.SignatureWrapper;
import eu.europa.esig.dss.jaxb.object.Message;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import eu.europa.esig.dss.validation.reports.Reports;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What EU DSS (EN 319 102-1) says of signed PDF files, without a network.
 *
 * <p>Usage: {@code Dss [--at ISO-INSTANT] [--trust ROOT.pem]... FILE.pdf...}; prints a JSON list, one object for each file.
 */
public final class Dss {
    private Dss() {}

    public static void main(String[] args) throws Exception {
        CommonTrustedCertificateSource trust = new CommonTrustedCertificateSource();
        Instant at = Instant.now();
        List<Map<String, Object>> answers = new ArrayList<>();
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "--at" -> at = Instant.parse(args[++i]);
                case "--trust" -> trust.addCertificate(DSSUtils.loadCertificate(Path.of(args[++i]).toFile()));
                default -> answers.add(judge(Path.of(args[i]), trust, Date.from(at)));
            }
        }
        System.out.println(new ObjectMapper().writeValueAsString(answers));
    }

    private static Map<String, Object> judge(Path file, CommonTrustedCertificateSource trust, Date at) {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("file", file.toString());
        try {
            CommonCertificateVerifier verifier = new CommonCertificateVerifier(); // no AIA, OCSP or CRL source: offline
            verifier.setTrustedCertSources(trust);
            SignedDocumentValidator validator = SignedDocumentValidator.fromDocument(new FileDocument(file.toFile()));
            validator.setCertificateVerifier(verifier);
            validator.setValidationTime(at);
            Reports reports = validator.validateDocument();
            answer.put("signatures", signatures(reports.getSimpleReport(), reports.getDiagnosticData()));
            answer.put("timestamps", timestamps(reports.getSimpleReport(), reports.getDiagnosticData()));
        } catch (RuntimeException error) { // DSS reports an unreadable file in many ways; each is a refusal
            answer.put("error", error.toString());
        }
        return answer;
    }

    private static List<Map<String, Object>> signatures(SimpleReport report, DiagnosticData data) {
        List<Map<String, Object>> list = new ArrayList<>();
        for (String id : report.getSignatureIdList()) {
            Map<String, Object> item = verdict(report, id);
            item.put("level", String.valueOf(report.getSignatureFormat(id)));
            item.put("time", time(report.getBestSignatureTime(id)));
            SignatureWrapper signature = data.getSignatureById(id);
            item.put("intact", signature.isSignatureIntact() && signature.isSignatureValid());
            item.put("changes", changes(signature));
            list.add(item);
        }
        return list;
    }

    private static List<Map<String, Object>> timestamps(SimpleReport report, DiagnosticData data) {
        List<Map<String, Object>> list = new ArrayList<>();
        data.getTimestampList().forEach(stamp -> {
            Map<String, Object> item = verdict(report, stamp.getId());
            item.put("level", stamp.getType().name());
            item.put("time", time(stamp.getProductionTime()));
            item.put("intact", stamp.isMessageImprintDataIntact() && stamp.isSignatureIntact());
            item.put("changes", List.of());
            list.add(item);
        });
        return list;
    }

    /** Changes after signing; extensions by validation material and time-stamps are none. */
    private static List<String> changes(SignatureWrapper signature) {
        List<String> found = new ArrayList<>();
        Stream.of(
                        signature.getPdfSignatureOrFormFillChanges(),
                        signature.getPdfAnnotationChanges(),
                        signature.getPdfUndefinedChanges())
                .flatMap(List::stream)
                .forEach(change -> found.add(change.getAction() + " " + change.getValue()));
        if (signature.arePdfModificationsDetected()) {
            found.add("page looks different");
        }
        return found;
    }

    private static Map<String, Object> verdict(SimpleReport report, String id) {
        Map<String, Object> item = new LinkedHashMap<>();
        item.put("indication", String.valueOf(report.getIndication(id)).replace('_', '-'));
        item.put("sub_indication", report.getSubIndication(id) == null ? "" : report.getSubIndication(id).name());
        item.put("errors", texts(report.getAdESValidationErrors(id)));
        item.put("warnings", texts(report.getAdESValidationWarnings(id)));
        return item;
    }

    private static List<String> texts(List<Message> messages) {
        return messages.stream().map(Message::getValue).toList();
    }

    private static String time(Date date) {
        return date == null ? "" : date.toInstant().toString();
    }
}
