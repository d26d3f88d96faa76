//! Tokens → a checked formula.
//!
//! Duty: precedence, the type of every part, columns within aggregates only, denominators. Not its duty: values.

use std::collections::BTreeMap;

use super::lexer::{Placed, Token, tokens};
use super::{Aggregate, Arithmetic, Compare, Expr, Formula, FormulaError, Function, Use};

/// Deepest nesting: far more than anyone writes, far less than the stack holds.
const DEPTH: usize = 64;

/// The type of a part. A column's type follows from where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Number,
    Text,
    Flag,
    /// A column that nothing has given a type yet.
    Open,
}

pub(super) fn parse(text: &str) -> Result<Formula, FormulaError> {
    let tokens = tokens(text)?;
    let end = text.chars().count() + 1;
    let mut parser = Parser {
        text,
        tokens,
        next: 0,
        end,
        depth: 0,
        within: None,
        uses: BTreeMap::new(),
        denominators: Vec::new(),
    };
    let (expr, kind) = parser.alternative()?;
    if parser.next < parser.tokens.len() {
        return Err(parser.error(
            "something follows where the formula should end",
            "join the two with an operator",
        ));
    }
    parser.number(&expr, kind, "a formula")?;
    Ok(Formula {
        text: text.to_owned(),
        expr,
        uses: parser.uses,
        denominators: parser.denominators,
    })
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Placed>,
    next: usize,
    /// The character after the last.
    end: usize,
    depth: usize,
    /// The aggregate that is being read.
    within: Option<&'static str>,
    uses: BTreeMap<String, Use>,
    denominators: Vec<String>,
}

type Typed = (Expr, Kind);
type Outcome = Result<Typed, FormulaError>;

impl Parser<'_> {
    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |t| t.at)
    }

    fn error(&self, problem: impl Into<String>, remedy: &str) -> FormulaError {
        FormulaError {
            at: self.at(),
            problem: problem.into(),
            remedy: remedy.to_owned(),
        }
    }

    fn sign(&mut self, signs: &[&'static str]) -> Option<&'static str> {
        let Some(Token::Sign(sign)) = self.tokens.get(self.next).map(|t| &t.token) else {
            return None;
        };
        let sign = *sign;
        signs.contains(&sign).then(|| {
            self.next += 1;
            sign
        })
    }

    fn word(&mut self, word: &str) -> bool {
        let found = matches!(self.tokens.get(self.next).map(|t| &t.token), Some(Token::Name(n)) if n == word);
        if found {
            self.next += 1;
        }
        found
    }

    fn expect(&mut self, sign: &'static str) -> Result<(), FormulaError> {
        match self.sign(&[sign]) {
            Some(_) => Ok(()),
            None => Err(self.error(
                format!("'{sign}' is missing"),
                "close what was opened, and put commas between values",
            )),
        }
    }

    /// a or b
    fn alternative(&mut self) -> Outcome {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(self.error(
                "the formula is nested too deeply",
                "split it, or compute a part in the measure",
            ));
        }
        let (mut left, mut kind) = self.conjunction()?;
        while self.word("or") {
            let (right, other) = self.conjunction()?;
            self.flag(&left, kind)?;
            self.flag(&right, other)?;
            (left, kind) = (Expr::Or(Box::new(left), Box::new(right)), Kind::Flag);
        }
        self.depth -= 1;
        Ok((left, kind))
    }

    /// a and b
    fn conjunction(&mut self) -> Outcome {
        let (mut left, mut kind) = self.negation()?;
        while self.word("and") {
            let (right, other) = self.negation()?;
            self.flag(&left, kind)?;
            self.flag(&right, other)?;
            (left, kind) = (Expr::And(Box::new(left), Box::new(right)), Kind::Flag);
        }
        Ok((left, kind))
    }

    /// not a
    fn negation(&mut self) -> Outcome {
        if !self.word("not") {
            return self.comparison();
        }
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(self.error(
                "the formula is nested too deeply",
                "split it, or compute a part in the measure",
            ));
        }
        let (inner, kind) = self.negation()?;
        self.depth -= 1;
        self.flag(&inner, kind)?;
        Ok((Expr::Not(Box::new(inner)), Kind::Flag))
    }

    /// a < b
    fn comparison(&mut self) -> Outcome {
        let (left, kind) = self.sum()?;
        let Some(sign) = self.sign(&["=", "<>", "<", "<=", ">", ">="]) else {
            return Ok((left, kind));
        };
        let (right, other) = self.sum()?;
        let compare = match sign {
            "=" => Compare::Equal,
            "<>" => Compare::NotEqual,
            "<" => Compare::Less,
            "<=" => Compare::LessOrEqual,
            ">" => Compare::Greater,
            _ => Compare::GreaterOrEqual,
        };
        let ordered = !matches!(compare, Compare::Equal | Compare::NotEqual);
        match (kind, other) {
            (Kind::Text, _) | (_, Kind::Text) if !ordered => {
                self.typed(&left, kind, Kind::Text, Use::Text)?;
                self.typed(&right, other, Kind::Text, Use::Text)?;
            }
            (Kind::Flag, _) | (_, Kind::Flag) if !ordered => {
                self.flag(&left, kind)?;
                self.flag(&right, other)?;
            }
            _ => {
                self.number(&left, kind, "a comparison")?;
                self.number(&right, other, "a comparison")?;
            }
        }
        Ok((Expr::Compare(compare, Box::new(left), Box::new(right)), Kind::Flag))
    }

    /// a + b
    fn sum(&mut self) -> Outcome {
        let (mut left, mut kind) = self.product()?;
        while let Some(sign) = self.sign(&["+", "-"]) {
            let (right, other) = self.product()?;
            self.number(&left, kind, sign)?;
            self.number(&right, other, sign)?;
            let op = if sign == "+" {
                Arithmetic::Add
            } else {
                Arithmetic::Subtract
            };
            (left, kind) = (Expr::Arithmetic(op, Box::new(left), Box::new(right)), Kind::Number);
        }
        Ok((left, kind))
    }

    /// a * b
    fn product(&mut self) -> Outcome {
        let (mut left, mut kind) = self.unary()?;
        while let Some(sign) = self.sign(&["*", "/"]) {
            let start = self.at();
            let (right, other) = self.unary()?;
            self.number(&left, kind, sign)?;
            self.number(&right, other, sign)?;
            let op = if sign == "*" {
                Arithmetic::Multiply
            } else {
                Arithmetic::Divide
            };
            if op == Arithmetic::Divide {
                self.divisor(&right, start)?;
            }
            (left, kind) = (Expr::Arithmetic(op, Box::new(left), Box::new(right)), Kind::Number);
        }
        Ok((left, kind))
    }

    /// A constant divisor must not be 0; any other is remembered, so that the rule says what holds when it is.
    fn divisor(&mut self, right: &Expr, start: usize) -> Result<(), FormulaError> {
        if let Expr::Number(number) = right {
            if number.is_zero() {
                return Err(self.error("a division by zero", "divide by something else"));
            }
            return Ok(());
        }
        let end = self.at();
        let text: String = self.text.chars().skip(start - 1).take(end - start).collect();
        self.denominators.push(text.trim().to_owned());
        Ok(())
    }

    fn unary(&mut self) -> Outcome {
        if self.sign(&["-"]).is_none() {
            return self.atom();
        }
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(self.error(
                "the formula is nested too deeply",
                "split it, or compute a part in the measure",
            ));
        }
        let (inner, kind) = self.unary()?;
        self.depth -= 1;
        self.number(&inner, kind, "-")?;
        Ok((Expr::Negative(Box::new(inner)), Kind::Number))
    }

    fn atom(&mut self) -> Outcome {
        if self.sign(&["("]).is_some() {
            let inner = self.alternative()?;
            self.expect(")")?;
            return Ok(inner);
        }
        let Some(token) = self.tokens.get(self.next).map(|t| t.token.clone()) else {
            return Err(self.error("the formula ends too early", "write a value here"));
        };
        match token {
            Token::Number(number) => {
                self.next += 1;
                Ok((Expr::Number(number), Kind::Number))
            }
            Token::Text(text) => {
                self.next += 1;
                Ok((Expr::Text(text), Kind::Text))
            }
            Token::Sign(sign) => Err(self.error(format!("a value is missing before '{sign}'"), "write a value here")),
            Token::Name(name) => {
                let called = matches!(self.tokens.get(self.next + 1).map(|t| &t.token), Some(Token::Sign("(")));
                if called { self.call(&name) } else { self.name(name) }
            }
        }
    }

    fn name(&mut self, name: String) -> Outcome {
        if let "true" | "false" = name.as_str() {
            self.next += 1;
            return Ok((Expr::Flag(name == "true"), Kind::Flag));
        }
        if self.within.is_none() {
            let remedy = format!("say how the rows of the measure are joined: sum({name})");
            return Err(self.error(format!("the column {name} stands outside an aggregate"), &remedy));
        }
        self.next += 1;
        Ok((Expr::Column(name), Kind::Open))
    }

    fn call(&mut self, name: &str) -> Outcome {
        const KNOWN: &str = "there are: sum, count, largest, smallest, min, max, abs, days, if";
        let aggregate = match name {
            "sum" => Some(Aggregate::Sum),
            "count" => Some(Aggregate::Count),
            "largest" => Some(Aggregate::Largest),
            "smallest" => Some(Aggregate::Smallest),
            _ => None,
        };
        if let Some(aggregate) = aggregate {
            return self.aggregate(aggregate, name);
        }
        if !matches!(name, "min" | "max" | "abs" | "days" | "if") {
            return Err(self.error(format!("there is no function {name}"), KNOWN));
        }
        self.next += 2;
        let mut values = vec![self.alternative()?];
        while self.sign(&[","]).is_some() {
            values.push(self.alternative()?);
        }
        let wanted = match name {
            "abs" | "days" => 1..=1,
            "if" => 3..=3,
            _ => 2..=64,
        };
        if !wanted.contains(&values.len()) {
            return Err(self.error(
                format!("{name} does not take {} values", values.len()),
                "min(a, b), max(a, b), abs(a), days(date), if(condition, a, b)",
            ));
        }
        self.expect(")")?;
        if name == "if" {
            let [(condition, flag), (yes, a), (no, b)] =
                <[Typed; 3]>::try_from(values).map_err(|_| self.error("if takes three values", KNOWN))?;
            self.flag(&condition, flag)?;
            self.number(&yes, a, "if")?;
            self.number(&no, b, "if")?;
            return Ok((Expr::If(Box::new(condition), Box::new(yes), Box::new(no)), Kind::Number));
        }
        let function = match name {
            "min" => Function::Min,
            "max" => Function::Max,
            "abs" => Function::Abs,
            _ => Function::Days,
        };
        for (value, kind) in &values {
            if function == Function::Days {
                if *kind != Kind::Open {
                    return Err(self.error("days takes a column with a date", "write days(column)"));
                }
                self.use_as(value, Use::Date)?;
            } else {
                self.number(value, *kind, name)?;
            }
        }
        Ok((
            Expr::Call(function, values.into_iter().map(|(v, _)| v).collect()),
            Kind::Number,
        ))
    }

    fn aggregate(&mut self, aggregate: Aggregate, name: &str) -> Outcome {
        if let Some(outer) = self.within {
            return Err(self.error(
                format!("{name} stands within {outer}"),
                "an aggregate is over rows: it cannot hold another",
            ));
        }
        self.within = Some(aggregate.name());
        self.next += 2;
        let (inner, kind) = self.alternative()?;
        if aggregate == Aggregate::Count {
            self.flag(&inner, kind)?;
        } else {
            self.number(&inner, kind, name)?;
        }
        self.expect(")")?;
        self.within = None;
        Ok((Expr::Aggregate(aggregate, Box::new(inner)), Kind::Number))
    }

    fn number(&mut self, expr: &Expr, kind: Kind, what: &str) -> Result<(), FormulaError> {
        match kind {
            Kind::Number => Ok(()),
            Kind::Open => self.use_as(expr, Use::Number),
            Kind::Text | Kind::Flag => {
                let found = if kind == Kind::Text { "a text" } else { "a condition" };
                Err(self.error(
                    format!("{what} needs a number and was given {found}"),
                    "write a number; if(condition, 1, 0) makes one",
                ))
            }
        }
    }

    fn flag(&mut self, expr: &Expr, kind: Kind) -> Result<(), FormulaError> {
        self.typed(expr, kind, Kind::Flag, Use::Flag)
    }

    fn typed(&mut self, expr: &Expr, kind: Kind, wanted: Kind, used: Use) -> Result<(), FormulaError> {
        if kind == wanted {
            Ok(())
        } else if kind == Kind::Open {
            self.use_as(expr, used)
        } else {
            Err(self.error(format!("{} is needed here", used.name()), "compare like with like"))
        }
    }

    /// A column has one type, wherever it stands.
    fn use_as(&mut self, expr: &Expr, used: Use) -> Result<(), FormulaError> {
        let Expr::Column(name) = expr else { return Ok(()) };
        match self.uses.insert(name.clone(), used) {
            Some(before) if before != used => {
                let problem = format!("the column {name} is used as {} and as {}", before.name(), used.name());
                Err(self.error(problem, "a column has one type"))
            }
            _ => Ok(()),
        }
    }
}
