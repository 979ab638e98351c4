using System.Collections.Immutable;

namespace ClusterLlm.Coordinator.Security;

/// <summary>What a key of the HTTP API may do.</summary>
[Flags]
internal enum ApiScopes
{
    None = 0,

    /// <summary>Ask models: <c>/v1</c>.</summary>
    Inference = 1,

    /// <summary>Look at everything and change nothing.</summary>
    Read = 2,

    /// <summary>All of it: launch, stop, add and remove.</summary>
    Admin = 4,
}

/// <summary>Names of scopes, and which one a request needs.</summary>
internal static class ApiScopeRules
{
    public static ImmutableArray<string> Names { get; } = ["inference", "read", "admin"];

    /// <summary>The scopes of a list of names; <see langword="null"/> when one is not known or none is given.</summary>
    public static ApiScopes? Parse(IEnumerable<string> names)
    {
        var scopes = ApiScopes.None;
        foreach (var name in names)
        {
            var index = Names.IndexOf(name.Trim().ToLowerInvariant());
            if (index < 0)
            {
                return null;
            }

            scopes |= (ApiScopes)(1 << index);
        }

        return scopes == ApiScopes.None ? null : scopes;
    }

    /// <summary>The names of <paramref name="scopes"/>, with commas.</summary>
    public static string Text(ApiScopes scopes) => string.Join(',', Names.Where((_, index) => ((int)scopes & (1 << index)) != 0));

    /// <summary>What a request needs; <see cref="ApiScopes.None"/>: nothing.</summary>
    /// <param name="path">Without the query.</param>
    public static ApiScopes Needed(string method, PathString path)
    {
        var reads = HttpMethods.IsGet(method) || HttpMethods.IsHead(method);
        if (HttpMethods.IsOptions(method) || (reads && (path == "/alive" || path == "/health" || path == "/api/authority")))
        {
            return ApiScopes.None;
        }

        if (path.StartsWithSegments("/v1"))
        {
            return ApiScopes.Inference;
        }

        // A plan computes and changes nothing.
        return reads || path.StartsWithSegments("/api/plans") ? ApiScopes.Read : ApiScopes.Admin;
    }

    /// <summary>Whether a key with <paramref name="held"/> is enough.</summary>
    public static bool Allows(ApiScopes held, ApiScopes needed) =>
        needed == ApiScopes.None || (held & (needed | ApiScopes.Admin)) != 0;
}
