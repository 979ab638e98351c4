namespace ClusterLlm.Coordinator.Security;

/// <summary>What a token shall allow.</summary>
/// <param name="NodeId">The only node id that may join with it; <see langword="null"/>: any that is free.</param>
/// <param name="Note">For people; may be empty.</param>
internal sealed record TokenRequest(TimeSpan Lifetime, int Uses, string? NodeId, string Note)
{
    public const int MostUses = 1000;
    public static readonly TimeSpan ShortestLifetime = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan LongestLifetime = TimeSpan.FromDays(30);
    public static readonly TimeSpan DefaultLifetime = TimeSpan.FromHours(1);

    private const int LongestNote = 200;

    /// <summary>All that is wrong with it; empty when it will do.</summary>
    public IEnumerable<string> Problems()
    {
        if (Lifetime < ShortestLifetime || Lifetime > LongestLifetime)
        {
            yield return $"The time to live is {Lifetime}; it must be from {ShortestLifetime} to {LongestLifetime}.";
        }

        if (Uses is < 1 or > MostUses)
        {
            yield return $"Uses is {Uses}; it must be from 1 to {MostUses}.";
        }

        if (Note.Length > LongestNote)
        {
            yield return $"The note has {Note.Length} characters; at most {LongestNote} are kept.";
        }

        if (NodeId is { } id && !Nodes.JoinRequestCheck.IsNodeId(id))
        {
            yield return $"The node id '{id}' must be 1 to 63 letters, digits, '.', '_' or '-', and begin with a letter or digit.";
        }
    }
}

/// <summary>A token as it is kept: without its secret.</summary>
internal sealed record TokenEntry(
    string Id, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, int Uses, int MaxUses, string? NodeId, string Note, DateTimeOffset? RevokedAt)
{
    /// <summary>In one word for lists: usable, expired, used or revoked.</summary>
    public string State(DateTimeOffset now) => RevokedAt is not null ? "revoked" : Uses >= MaxUses ? "used" : now >= ExpiresAt ? "expired" : "usable";

    /// <summary>Why it can't be used, for the one who tried; <see langword="null"/> when it can.</summary>
    public string? Problem(string nodeId, DateTimeOffset now) => State(now) switch
    {
        "revoked" => $"the token was revoked at {RevokedAt:u}. Make a new one.",
        "used" => $"the token has been used up ({Uses} of {MaxUses}). Make a new one.",
        "expired" => $"the token expired at {ExpiresAt:u}. Make a new one.",
        _ => NodeId is { } only && only != nodeId ? $"the token is for node {only} only, not for {nodeId}." : null,
    };
}
