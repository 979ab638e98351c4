namespace ClusterLlm.ModelFiles;

/// <summary>Bounds that no honest template comes near; they end one that would run or grow for ever.</summary>
internal static class TemplateLimits
{
    /// <summary>Characters of the output or of one value.</summary>
    public const int MaxLength = 32 << 20;

    /// <summary>Expressions and statements in one rendering.</summary>
    public const int MaxSteps = 5_000_000;

    /// <summary>Items of one list.</summary>
    public const int MaxItems = 1 << 20;

    /// <summary>Expressions within one another.</summary>
    public const int MaxExpressionDepth = 200;

    /// <summary>For one rendering: a step may go over many items.</summary>
    public static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(5);

    /// <summary>Numbers of one <c>range</c>; Jinja's sandbox has the same limit.</summary>
    public const int MaxRange = 100_000;

    public static void CheckLength(long length)
    {
        if (length > MaxLength)
        {
            throw new TemplateProblemException($"a text grows beyond {MaxLength} characters");
        }
    }

    public static void CheckCount(long count)
    {
        if (count > MaxItems)
        {
            throw new TemplateProblemException($"a list grows beyond {MaxItems} items");
        }
    }
}
