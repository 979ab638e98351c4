using System.Collections.Immutable;

namespace ClusterLlm.Coordinator.Comparisons.Running;

/// <summary>A run's record while it grows; every change is published.</summary>
/// <param name="save">Keeps a record and tells those who watch.</param>
internal sealed class ComparisonRun(ComparisonRecord record, Func<ComparisonRecord, CancellationToken, Task> save)
{
    public ComparisonRecord Record { get; private set; } = record;

    public Task ChangeAsync(Func<ComparisonRecord, ComparisonRecord> change, CancellationToken cancellationToken)
    {
        Record = change(Record);
        return save(Record, cancellationToken);
    }

    public Task NoteAsync(string note, CancellationToken cancellationToken) => Record.Notes.Contains(note)
        ? Task.CompletedTask
        : ChangeAsync(record => record with { Notes = record.Notes.Add(note) }, cancellationToken);

    public Task ChangeAsync(string candidateId, Func<CandidateResult, CandidateResult> change, CancellationToken cancellationToken) =>
        ChangeAsync(record => record.With(change(record.Find(candidateId)!)), cancellationToken);

    /// <summary>Candidates that can still be measured.</summary>
    public ImmutableArray<CandidateResult> Living => [.. Record.Candidates.Where(one => one.State is CandidateState.Waiting or CandidateState.Measured)];
}
