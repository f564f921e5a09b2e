package docproc.judges;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.PDFAValidator;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

/**
 * Whether PDF files keep the rules of a PDF/A flavour (ISO 19005).
 *
 * <p>Usage: {@code VeraPdf FLAVOUR FILE.pdf...} with a flavour such as 2b or 3b; prints a JSON list, one object for each file.
 */
public final class VeraPdf {
    private VeraPdf() {}

    public static void main(String[] args) throws Exception {
        VeraGreenfieldFoundryProvider.initialise();
        PDFAFlavour flavour = PDFAFlavour.fromString(args[0]);
        if (flavour == PDFAFlavour.NO_FLAVOUR) {
            throw new IllegalArgumentException("no PDF/A flavour: " + args[0]);
        }
        List<Map<String, Object>> answers = new ArrayList<>();
        for (int i = 1; i < args.length; i++) {
            answers.add(judge(Path.of(args[i]), flavour));
        }
        System.out.println(new ObjectMapper().writeValueAsString(answers));
    }

    private static Map<String, Object> judge(Path file, PDFAFlavour flavour) {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("file", file.toString());
        answer.put("flavour", flavour.getId());
        try (InputStream stream = Files.newInputStream(file);
                PDFAParser parser = Foundries.defaultInstance().createParser(stream, flavour);
                PDFAValidator validator = Foundries.defaultInstance().createValidator(flavour, false)) {
            ValidationResult result = validator.validate(parser);
            answer.put("compliant", result.isCompliant());
            answer.put("checks", result.getTotalAssertions());
            answer.put("failed", failures(result));
        } catch (Exception error) { // an unreadable file is not PDF/A, however it fails
            answer.put("compliant", false);
            answer.put("error", error.toString());
        }
        return answer;
    }

    private static List<Map<String, Object>> failures(ValidationResult result) {
        Map<String, Map<String, Object>> rules = new LinkedHashMap<>();
        for (TestAssertion failed : result.getTestAssertions()) {
            if (failed.getStatus() != TestAssertion.Status.FAILED) {
                continue;
            }
            String rule = failed.getRuleId().getClause() + "-" + failed.getRuleId().getTestNumber();
            Map<String, Object> item = rules.computeIfAbsent(rule, key -> {
                Map<String, Object> first = new LinkedHashMap<>();
                first.put("rule", key);
                first.put("message", failed.getMessage());
                first.put("where", failed.getLocation().getContext());
                first.put("count", 0);
                return first;
            });
            item.put("count", (Integer) item.get("count") + 1);
        }
        return new ArrayList<>(rules.values());
    }
}
