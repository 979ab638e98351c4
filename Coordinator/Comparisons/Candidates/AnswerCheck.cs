using System.Collections.Immutable;

namespace ClusterLlm.Coordinator.Comparisons.Candidates;

/// <summary>Whether candidates say the same in greedy mode: a fast one that says something else is not the model. Pure.</summary>
internal static class AnswerCheck
{
    private const int MostShown = 60;

    /// <summary>Marks those that are wrong. Compared are candidates of one model and one engine: engines round differently, and one bit may change a word.</summary>
    public static ImmutableArray<CandidateResult> Apply(ImmutableArray<CandidateResult> candidates)
    {
        var references = candidates.Where(one => one.Answer is not null)
            .GroupBy(one => (one.Candidate.Model, one.Candidate.Engine)).ToDictionary(group => group.Key, Reference);
        return [.. candidates.Select(one => one.Answer is null ? one : Checked(one, references[(one.Candidate.Model, one.Candidate.Engine)], candidates))];
    }

    /// <summary>What most single nodes say; without any, what most say. Ties go to the earlier candidate.</summary>
    private static (string Answer, int Voices, bool Alone) Reference(IEnumerable<CandidateResult> group)
    {
        var all = group.ToArray();
        var singles = all.Where(one => one.Candidate.Stages.Length == 1).ToArray();
        var chosen = (singles.Length > 0 ? singles : all).GroupBy(one => one.Answer!, StringComparer.Ordinal).OrderByDescending(answers => answers.Count()).First();
        return (chosen.Key, chosen.Count(), all.Length == 1);
    }

    private static CandidateResult Checked(CandidateResult one, (string Answer, int Voices, bool Alone) reference, ImmutableArray<CandidateResult> all)
    {
        if (one.Answer == reference.Answer)
        {
            var other = all.FirstOrDefault(each => each.Answer is not null && each.Candidate.Model == one.Candidate.Model && each.Candidate.Engine != one.Candidate.Engine);
            return one with
            {
                AnswerCheck = reference.Alone ? "nothing else with this engine to compare its answer with"
                    : other is not null && other.Answer != one.Answer ? $"as the others with {one.Candidate.Engine}; {other.Candidate.Engine} answers differently after {Common(one.Answer!, other.Answer!)} characters"
                    : "as the others",
            };
        }

        var reason = $"In greedy mode it says \"{Shown(one.Answer!)}\" where the reference ({reference.Voices} candidate(s)) says \"{Shown(reference.Answer)}\": it is not ranked.";
        return one with { State = CandidateState.Wrong, Reason = reason, AnswerCheck = "differs from the reference" };
    }

    private static int Common(string one, string other) => one.AsSpan().CommonPrefixLength(other);

    private static string Shown(string text)
    {
        var line = text.ReplaceLineEndings(" ");
        return line.Length > MostShown ? $"{line[..MostShown]}…" : line;
    }
}
