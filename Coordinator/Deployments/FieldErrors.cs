namespace ClusterLlm.Coordinator.Deployments;

/// <summary>All that is wrong with a request, by field.</summary>
internal sealed class FieldErrors
{
    private readonly SortedDictionary<string, List<string>> _errors = new(StringComparer.Ordinal);

    public bool IsEmpty => _errors.Count == 0;

    public void Add(string field, string message)
    {
        if (!_errors.TryGetValue(field, out var messages))
        {
            _errors[field] = messages = [];
        }

        messages.Add(message);
    }

    /// <summary>Whether the field, or a part of it, has an error.</summary>
    public bool Has(string field) => _errors.Keys.Any(key => key == field || key.StartsWith($"{field}.", StringComparison.Ordinal));

    public IReadOnlyDictionary<string, string[]> ToDictionary() =>
        _errors.ToDictionary(pair => pair.Key, pair => pair.Value.ToArray(), StringComparer.Ordinal);
}
