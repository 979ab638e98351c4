namespace ClusterLlm.ModelFiles;

/// <summary>Bounds that no honest template comes near; they end one that would run or grow for ever.</summary>
internal static class TemplateLimits
{
    /// <summary>Characters of the output or of one value.</summary>
    public const int MaxLength = 32 << 20;

    /// <summary>Expressions and statements in one rendering.</summary>
    public const int MaxSteps = 20_000_000;

    /// <summary>Numbers of one <c>range</c>; Jinja's sandbox has the same limit.</summary>
    public const int MaxRange = 100_000;

    public static void CheckLength(long length)
    {
        if (length > MaxLength)
        {
            throw new TemplateProblemException($"a text or list grows beyond {MaxLength} characters or items");
        }
    }
}
