using System.Collections.Immutable;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Deployments.FailedPlans;

/// <summary>Which plans have failed: in memory for readers, on disk before a change is seen.</summary>
internal sealed partial class PlanFailures(
    PlanFailureStore store, IOptions<DeploymentsOptions> options, TimeProvider time, ILogger<PlanFailures> logger) : IDisposable
{
    // Plans of models, versions and nodes that are gone are never asked for again.
    private const int MostKept = 200;

    private readonly SemaphoreSlim _writer = new(1, 1);
    private volatile ImmutableDictionary<string, PlanFailure> _known = ImmutableDictionary.Create<string, PlanFailure>(StringComparer.Ordinal);

    /// <summary>Reads what the last run left.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        var loaded = await store.LoadAsync(cancellationToken);
        _known = _known.SetItems(loaded.Select(failure => KeyValuePair.Create(failure.Fingerprint, failure)));
    }

    /// <returns><see langword="null"/> when the plan's last launch went well, or there was none.</returns>
    public PlanFailure? Find(string fingerprint) => _known.GetValueOrDefault(fingerprint);

    /// <returns>The failures of a plan that has failed too often to be started again; else <see langword="null"/>.</returns>
    public PlanFailure? FindBad(string fingerprint) => Find(fingerprint) is { } failure && failure.IsBad(options.Value.MaxAttempts) ? failure : null;

    /// <summary>A launch of the deployment's plan has failed.</summary>
    /// <returns>Whether the plan is bad now.</returns>
    public async Task<bool> NoteAsync(Deployment deployment, string reason, CancellationToken cancellationToken)
    {
        var plan = deployment.Plan!;
        if (plan.PlanFingerprint.Length == 0)
        {
            // Made by a version that did not know fingerprints: the next planning gives it one.
            return false;
        }

        await _writer.WaitAsync(cancellationToken);
        try
        {
            var failure = new PlanFailure(
                plan.PlanFingerprint, PlanFingerprint.Describe(plan.Placement), (Find(plan.PlanFingerprint)?.Launches ?? 0) + 1, time.GetUtcNow(), reason, deployment.Id);
            await store.SaveAsync(failure, cancellationToken);
            _known = _known.SetItem(failure.Fingerprint, failure);
            await RemoveAsync([.. _known.Values.OrderByDescending(each => each.LastAt).Skip(MostKept).Select(each => each.Fingerprint)], cancellationToken);
            var isBad = failure.IsBad(options.Value.MaxAttempts);
            if (isBad)
            {
                LogBad(failure.Plan, failure.Fingerprint, failure.Launches, reason);
            }

            return isBad;
        }
        finally
        {
            _writer.Release();
        }
    }

    /// <summary>Lets plans count as never tried.</summary>
    public async Task ForgetAsync(Func<PlanFailure, bool> which, CancellationToken cancellationToken)
    {
        if (!_known.Values.Any(which))
        {
            return;
        }

        await _writer.WaitAsync(cancellationToken);
        try
        {
            await RemoveAsync([.. _known.Values.Where(which).Select(failure => failure.Fingerprint)], cancellationToken);
        }
        finally
        {
            _writer.Release();
        }
    }

    public void Dispose() => _writer.Dispose();

    private async Task RemoveAsync(ImmutableArray<string> fingerprints, CancellationToken cancellationToken)
    {
        if (!fingerprints.IsEmpty)
        {
            await store.DeleteAsync(fingerprints, cancellationToken);
            _known = _known.RemoveRange(fingerprints);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The plan {Plan} ({Fingerprint}) is bad: {Launches} launches in a row have failed. {Reason}")]
    private partial void LogBad(string plan, string fingerprint, int launches, string reason);
}
